"""Make the study files of published evidence, with the account of every row and the split.

    python tools/evidence_files.py            writes src/mesolung/study/evidence/
    python tools/evidence_files.py --check    says whether the files there are what the evidence gives

The evidence folder is $MESOLUNG_SHARED/evidence (default ../shared/evidence). Individual rows never leave it.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path

from evidence_courses import BARRED, FOLDER, course_studies
from evidence_endotoxin import endotoxin_studies
from evidence_experiments import animal_studies, in_vitro_studies
from evidence_facts import unprinted
from evidence_fate import fate_studies
from evidence_ledger import Ledger, ranges
from evidence_levels import level_studies
from evidence_natural_history import natural_history_studies
from evidence_split import SPLIT_COLUMNS, split_rows
from evidence_study import FOLDERS, Study, toml_of
from evidence_trials import trial_studies
from evidence_unused import leave_unused
from evidence_usual_care import usual_care_studies
from evidence_virus import virus_studies

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / "src" / "mesolung" / "study" / "evidence"
EXCLUSION_COLUMNS = ("file", "rows", "count", "key", "reason")
OBSERVED_COLUMNS = ("study", "observation", "file", "rows", "count")
CATALOGUE_COLUMNS = (
    "name", "folder", "title", "kind", "disease", "species", "observations", "numbers", "sources",
)  # fmt: skip
LOG_COLUMNS = ("date", "sha256", "observations", "reason")
# Files whose rows are of single subjects: they enter as summaries.
INDIVIDUALS = (
    "human-endotoxin.csv", "viral-load.csv", "timecourses/covid-brescia-clinical.csv",
    "timecourses/covid-brescia-proteins.csv", "timecourses/covid-dialysis-gisby-labs.csv",
    "timecourses/covid-yale-lucas.csv", "timecourses/mouse-influenza-cd8-titre.csv",
    "timecourses/viral-shedding-respiratory.csv",
)  # fmt: skip
MOST_RANGES = 12  # of rows; individuals behind a summary are only counted
MAKERS: tuple[Callable[[Ledger], Iterator[Study]], ...] = (
    trial_studies,
    usual_care_studies,
    natural_history_studies,
    animal_studies,
    in_vitro_studies,
    endotoxin_studies,
    virus_studies,
    course_studies,
    level_studies,
    fate_studies,
)


def evidence() -> Path:
    """Find the evidence folder.

    Returns:
        its path, whether or not it exists.
    """
    return Path(os.environ.get("MESOLUNG_SHARED", ROOT.parent / "shared")) / "evidence"


def gather(folder: Path) -> tuple[Ledger, list[Study]]:
    """Make every study, with the account of all rows.

    Arguments:
        folder: of the evidence.

    Returns:
        the account, and the studies sorted by the names of their files.

    Raises:
        ValueError: for a file or row without a place, an observation that stands twice, or a design fact that
            no row of its study prints.
    """
    ledger = Ledger(folder)
    studies = [study for make in MAKERS for study in make(ledger)]
    leave_unused(ledger)
    ledger.check()
    unread = {str(file.relative_to(folder)) for file in folder.rglob("*.csv")} - ledger.files.keys()
    wrong = unprinted(ledger)
    if unread or wrong:
        raise ValueError(
            f"files that are not read: {sorted(unread)}; design facts that no row prints: {wrong}"
        )
    studies.sort(key=lambda study: study.stem)
    _check(studies)
    return ledger, studies


def all_texts(folder: Path) -> dict[str, str]:
    """Make every file.

    Arguments:
        folder: of the evidence.

    Returns:
        path below `PLACE` -> text.

    Raises:
        ValueError: as `gather`.
    """
    return texts_of(*gather(folder))


def texts_of(ledger: Ledger, studies: Sequence[Study]) -> dict[str, str]:
    """Write every file as text.

    Arguments:
        ledger, studies: from `gather`.

    Returns:
        path below `PLACE` -> text.
    """
    texts = {f"{study.folder}/{study.stem}.toml": toml_of(study) for study in studies}
    texts["split.csv"] = _csv(SPLIT_COLUMNS, split_rows(studies))
    texts["catalogue.csv"] = _csv(CATALOGUE_COLUMNS, [_entry(study) for study in studies])
    texts["exclusions.csv"] = _csv(EXCLUSION_COLUMNS, _exclusions(ledger))
    texts["observed.csv"] = _csv(OBSERVED_COLUMNS, _observed(studies))
    about = {"sha256": split_sha256(texts), "log": "split-log.csv"}
    texts["split.json"] = json.dumps(about, indent=1, sort_keys=True) + "\n"
    texts["evidence.json"] = _account(ledger, studies, texts)
    return texts


def _check(studies: Sequence[Study]) -> None:
    stems = Counter(study.stem for study in studies)
    twice = [stem for stem, count in stems.items() if count > 1]
    if twice:
        raise ValueError(f"two studies of one name: {twice}")
    for study in studies:
        keys = Counter(one.key for one in study.observations)
        twice = [key for key, count in keys.items() if count > 1]
        if twice or study.folder not in FOLDERS:
            raise ValueError(f"{study.folder}/{study.stem}: observations twice: {twice}")


def _exclusions(ledger: Ledger) -> list[dict[str, str]]:
    """Rows of one file with one reason and one key together."""
    together: dict[tuple[str, str, str], list[int]] = {}
    for (file, row), reason in sorted(ledger.left.items()):
        together.setdefault((file, ledger.keys[(file, row)], reason), []).append(row)
    return [
        {"file": file, "rows": ranges(rows), "count": str(len(rows)), "key": key, "reason": reason}
        for (file, key, reason), rows in sorted(together.items(), key=lambda item: (item[0][0], item[1][0]))
    ]


def _entry(study: Study) -> dict[str, str]:
    """A study's line in the catalogue; a number counts where its n or spread stands beside it."""
    numbers = sum(one.form != "value" for one in study.observations)
    sources = {next(iter(one.source.values())) for one in study.observations}
    head = study.head
    return {
        "name": study.stem, "folder": study.folder, "title": str(head["name"]), "kind": str(head["kind"]),
        "disease": str(head.get("disease", "")), "species": str(head["species"]),
        "observations": str(len(study.observations)), "numbers": str(numbers),
        "sources": "; ".join(sorted(sources)),
    }  # fmt: skip


def _observed(studies: Sequence[Study]) -> list[dict[str, str]]:
    found = []
    for study in studies:
        for index, one in enumerate(study.observations):
            for file in sorted({file for file, _ in one.rows}):
                numbers = {row for of, row in one.rows if of == file}
                rows = ranges(numbers)
                rows = rows if rows.count(";") < MOST_RANGES else ""
                found.append(
                    {
                        "study": study.stem, "observation": str(index), "file": file, "rows": rows,
                        "count": str(len(numbers)),
                    }
                )  # fmt: skip
    return found


def _account(ledger: Ledger, studies: Sequence[Study], texts: dict[str, str]) -> str:
    files = {
        file: {
            "sha256": hashlib.sha256((ledger.folder / file).read_bytes()).hexdigest(),
            **ledger.counts(file),
        }
        for file in sorted(ledger.files)
    }
    kinds = {file: _kind(file) for file in files}
    totals = {
        kind: {
            count: sum(counts[count] for file, counts in files.items() if kinds[file] == kind)
            for count in ("rows", "observed", "excluded", "with number and n", "of these observed")
        }
        for kind in sorted(set(kinds.values()))
    }
    forms = Counter(one.form for study in studies for one in study.observations)
    about = {
        "command": "python tools/evidence_files.py",
        "evidence": files,
        "totals": totals,
        "studies": dict(sorted(Counter(study.folder for study in studies).items())),
        "observations": dict(sorted(forms.items())),
        "files": {
            name: hashlib.sha256(texts[name].encode()).hexdigest()
            for name in ("catalogue.csv", "exclusions.csv", "observed.csv")
        },
    }
    return json.dumps(about, indent=1, sort_keys=True) + "\n"


def _kind(file: str) -> str:
    """Rows of results of groups, of single subjects, or of files of which nothing may or can ship."""
    if file in INDIVIDUALS:
        return "individuals"
    return "barred" if file.removeprefix(FOLDER) in BARRED else "results"


def _csv(columns: Sequence[str], rows: Sequence[dict[str, str]]) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def write(texts: dict[str, str], reason: str) -> None:
    """Write the files and take away study files that the evidence no longer gives.

    Arguments:
        texts: from `all_texts`.
        reason: why the split changes, for its log; needed when it does.

    Raises:
        ValueError: when the split would change without a reason.
    """
    if "split.csv" in differences(texts):
        if not reason:
            raise ValueError('the split changes: say why with --reason "..."')
        log = PLACE / "split-log.csv"
        entry = {
            "date": date.today().isoformat(), "sha256": split_sha256(texts),
            "observations": str(texts["split.csv"].count("\n") - 1), "reason": reason,
        }  # fmt: skip
        text = log.read_text(encoding="utf-8") if log.exists() else _csv(LOG_COLUMNS, [])
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(text + _csv(LOG_COLUMNS, [entry]).split("\n", 1)[1], encoding="utf-8")
    for old in PLACE.rglob("*.toml"):
        if str(old.relative_to(PLACE)) not in texts:
            old.unlink()
    for name, text in texts.items():
        file = PLACE / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def split_sha256(texts: dict[str, str]) -> str:
    """The hash by which the split is known.

    Arguments:
        texts: from `all_texts`.

    Returns:
        SHA-256 of ``split.csv``.
    """
    return hashlib.sha256(texts["split.csv"].encode()).hexdigest()


def differences(texts: dict[str, str]) -> list[str]:
    """Compare with the files that are there.

    Arguments:
        texts: from `all_texts`.

    Returns:
        names of files that differ, are missing or are too many.
    """
    there = {str(path.relative_to(PLACE)) for path in PLACE.rglob("*.toml")}
    changed = [
        name
        for name, text in texts.items()
        if not (PLACE / name).exists() or (PLACE / name).read_text(encoding="utf-8") != text
    ]
    return sorted({*changed, *(there - texts.keys())})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Arguments:
        arguments: of the command line.

    Returns:
        0; 1 when a file differs from what the evidence gives; 2 without the evidence.
    """
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--reason", default="", help="why the split changes, for its log")
    options = parser.parse_args(arguments)
    if not evidence().is_dir():
        print(f"no evidence at {evidence()}; set MESOLUNG_SHARED", file=sys.stderr)
        return 2
    texts = all_texts(evidence())
    changed = differences(texts)
    if not options.check:
        try:
            write(texts, options.reason)
        except ValueError as problem:
            print(problem, file=sys.stderr)
            return 2
    for name in changed:
        print(f"{name}: {'differs' if options.check else 'written'}")
    account = json.loads(texts["evidence.json"])
    for file, counts in account["evidence"].items():
        print(
            f"{file}: {counts['observed']} of {counts['rows']} rows observed; with a number and an n "
            f"{counts['of these observed']} of {counts['with number and n']}"
        )
    for kind, counts in account["totals"].items():
        share = counts["of these observed"] / max(counts["with number and n"], 1)
        print(f"{kind}: {counts['observed']} of {counts['rows']} rows; with a number and an n {share:.1%}")
    return 1 if options.check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
