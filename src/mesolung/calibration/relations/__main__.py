"""Published relations: listed, locked before tuning, predicted and judged.

python -m mesolung.calibration.relations --list             all relations of the part that may be fitted to
python -m mesolung.calibration.relations --lock --reason R  writes the list and its hash
python -m mesolung.calibration.relations --score            predicts and judges each, and counts by class
python -m mesolung.calibration.relations --score --write    keeps the record
python -m mesolung.calibration.relations --score --unseen   what nothing was fitted to; each once
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from mesolung.calibration.kept_record import keep
from mesolung.calibration.options import at_least_one
from mesolung.calibration.relations.judging import ABSENT, VERDICTS
from mesolung.calibration.relations.listing import FIT, UNSEEN, relations
from mesolung.calibration.relations.locked import LIST, check_lock, digest, lock
from mesolung.calibration.relations.locked import text_of as text_of_list
from mesolung.calibration.relations.looked_at import apart, looked_at
from mesolung.calibration.relations.relation import Relation
from mesolung.calibration.relations.scoring import judge, record_of, text_of, with_lines
from mesolung.calibration.validation.folder import File, predict_folder
from mesolung.execution import worker_count
from mesolung.reading import Refusal
from mesolung.study import read_study
from mesolung.study.catalogue import entry, groups, split_sha256

DRAWS = 100
RECORD = LIST.with_name("relations-score.json")
# Parts of a record that follow from its lines.
MADE_OF_LINES = ("sha256", "summary", "not_modelled", "lines")
# Made by the one run that looks at what nothing was fitted to; a later one adds what it could not answer.
RECORD_UNSEEN = LIST.with_name("relations-unseen.json")


def score(
    found: Sequence[Relation], *, draws: int, seed: int, workers: int, about: Mapping[str, Any]
) -> dict[str, Any]:
    """Predict and judge relations.

    Arguments:
        found: the relations.
        draws, seed, workers: of the runs; one run a study, as `mesolung validate` makes it.
        about: put first into the record.

    Returns:
        the record.
    """
    names = list(dict.fromkeys(one.study for one in found))
    files = [File(n, read_study(entry(n).path), dict(enumerate(groups(n)))) for n in names]
    subjects, _ = predict_folder(files, draws=draws, seed=seed, workers=workers)
    predicted = {s.key: s.predicted for s in subjects}
    judged = judge(found, {f.key: f.study for f in files}, predicted)
    posteriors = sorted({str(p.about["posterior"]) for p in predicted.values() if p.about.get("posterior")})
    return record_of(judged, {**about, "draws": draws, "seed": seed, "posterior": posteriors})


def score_unseen(
    found: Sequence[Relation],
    before: Mapping[str, Any] | None,
    *,
    about: Mapping[str, Any],
    draws: int = DRAWS,
    seed: int = 1,
    workers: int = 1,
) -> dict[str, Any]:
    """Score relations that nothing was fitted to, each of them once.

    Arguments:
        found: all relations of the unseen part.
        before: the record of an earlier scoring; what it answered stands as it fell.
        about, draws, seed, workers: as `score`.

    Returns:
        the record. Relations that were looked at are told apart and not counted.

    Raises:
        Refusal: where an earlier scoring left nothing that was not answered.
    """
    counted, others = apart(found, looked_at())
    old = [] if before is None else [line for line in before["lines"] if line["verdict"] != ABSENT]
    kept = {line["relation"] for line in old}
    left = [one for one in counted if one.key not in kept]
    if not left:
        raise Refusal(
            "what nothing was fitted to has been scored already", file=RECORD_UNSEEN, allowed="once"
        )
    why = looked_at()
    told = {} if before is None else {k: v for k, v in before["looked_at_verdicts"].items() if v != ABSENT}
    if asked := [one for one in others if one.key not in told]:
        more = score(asked, draws=draws, seed=seed, workers=workers, about={})
        told |= {line["relation"]: line["verdict"] for line in more["lines"]}
    about = {
        **about,
        "scored": [*(before["scored"] if before else []), {"date": about["date"], "relations": len(left)}],
        "looked_at": {one.key: why[one.key] for one in others},
        "looked_at_verdicts": dict(sorted(told.items())),
    }
    fresh = score(left, draws=draws, seed=seed, workers=workers, about=about)
    lines = sorted([*old, *fresh["lines"]], key=lambda line: line["relation"])
    return with_lines({key: fresh[key] for key in fresh if key not in MADE_OF_LINES}, lines)


def table_of(record: Mapping[str, Any]) -> list[str]:
    """Write the counts of a record as lines of text.

    Arguments:
        record: from `score`.
    """
    lines = []
    for part, classes in record["summary"].items():
        lines.append(part)
        head = ("class", *VERDICTS, "share met", "cells always help*")
        lines.append(f"  {head[0]:24}{head[1]:>6}{head[2]:>8}{head[3]:>18}{head[4]:>11}{head[5]:>20}")
        for name, c in classes.items():
            share = "-" if c["share_met"] is None else f"{c['share_met']:.0%}"
            rule = "-" if c["rule_met_of_all"] is None else f"{c['rule_met_of_all']} of {c['relations']}"
            lines.append(
                f"  {name:24}{c[VERDICTS[0]]:>6}{c[VERDICTS[1]]:>8}{c[VERDICTS[2]]:>18}{share:>11}{rule:>20}"
            )
    lines.append("* met by the rule among all relations of the class, answered by the model or not")
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Arguments:
        arguments: of the command line.

    Returns:
        0; relations that are missed are a result, not an error. 2 for a refusal.

    Raises:
        SystemExit: 2 for an option that cannot be.
    """
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="python -m mesolung.calibration.relations", description=__doc__, formatter_class=raw
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--list", action="store_true", help="print the relations that may be fitted to")
    what.add_argument("--lock", action="store_true", help="write the list and its hash; needs --reason")
    what.add_argument("--score", action="store_true", help="predict and judge the locked relations")
    parser.add_argument("--reason", default="", help="of --lock: why the list is written or changed")
    parser.add_argument("--unseen", action="store_true", help="of --score: the part nothing was fitted to")
    parser.add_argument("--write", action="store_true", help="of --score: keep the record")
    parser.add_argument("--study", default="", help="of --score: only studies whose name holds the word")
    parser.add_argument("--draws", type=at_least_one, default=DRAWS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=at_least_one, default=None)
    parser.add_argument("--json", action="store_true", help="of --score: print the record, not the table")
    options = parser.parse_args(arguments)
    if (options.unseen or options.write) and options.study:
        parser.error("--study is for a look at some: without --unseen and --write")
    if (options.unseen or options.write) and not options.score:
        parser.error("--unseen and --write belong to --score")
    try:
        return _done(options)
    except Refusal as refusal:
        print(f"mesolung: {refusal}", file=sys.stderr)
        return 2


def _done(options: argparse.Namespace) -> int:
    today = datetime.now(UTC).date().isoformat()
    found = relations(FIT)
    if options.list:
        print(text_of_list(found), end="")
        return 0
    if options.lock:
        print(lock(found, options.reason, today))
        return 0
    known = check_lock(found)
    to, about = (
        RECORD,
        {"date": today, "part": FIT, "split_sha256": split_sha256(), "relations_sha256": known},
    )
    before: Mapping[str, Any] | None = None
    if options.unseen:
        to, found = RECORD_UNSEEN, relations(UNSEEN)
        about |= {"part": UNSEEN, "relations_sha256": digest(text_of_list(found))}
        before = json.loads(to.read_text(encoding="utf-8")) if to.exists() else None
    found = [one for one in found if options.study in one.study]
    if not found:
        raise Refusal("no relation of such a study", found=options.study, allowed="--list shows them")
    chosen = {
        "draws": options.draws,
        "seed": options.seed,
        "workers": worker_count(options.workers),
    }
    record = (
        score_unseen(found, before, about=about, **chosen)
        if options.unseen
        else score(found, about=about, **chosen)
    )
    print(text_of(record) if options.json else "\n".join(table_of(record)))
    if options.write or options.unseen:
        keep(text_of(record), to)
    return 0


if __name__ == "__main__":
    sys.exit(main())
