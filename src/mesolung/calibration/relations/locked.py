"""The list of relations as it was locked before tuning, and the hash by which it is known."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from mesolung.calibration.relations.relation import Relation
from mesolung.reading import Refusal

LIST = Path(str(files("mesolung.calibration") / "relations.csv"))
LOCK = LIST.with_suffix(".json")
COLUMNS = (
    "study", "observation", "beside", "kind", "class", "about", "helps", "endpoint", "measure", "published",
    "low", "high", "status",
)  # fmt: skip
DIGITS = 6


def text_of(found: Sequence[Relation]) -> str:
    """Write relations as the locked list has them.

    Arguments:
        found: relations, in order.

    Returns:
        CSV with a heading, six significant digits.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in found:
        published = (
            " < ".join(one.published)
            if isinstance(one.published, tuple)
            else one.published
            if isinstance(one.published, str)
            else _number(one.published)
        )
        writer.writerow(
            [
                one.study,
                one.observation,
                ";".join(map(str, one.beside)),
                one.kind,
                one.class_,
                one.about,
                one.helps,
                one.endpoint,
                one.measure,
                published,
                _number(one.low),
                _number(one.high),
                one.status,
            ]
        )
    return out.getvalue()


def digest(text: str) -> str:
    """SHA-256 of a list of relations.

    Arguments:
        text: from `text_of`.
    """
    return hashlib.sha256(text.encode()).hexdigest()


def lock(found: Sequence[Relation], reason: str, date: str, *, to: Path = LIST) -> str:
    """Write the list and its hash, with the date and the reason in the log.

    Arguments:
        found: the relations.
        reason: why it is written, or what changed since the last time.
        date: of today, as YYYY-MM-DD.
        to: the list; the lock stands beside it.

    Returns:
        the hash.

    Raises:
        Refusal: without a reason, or for a list that is locked already and has not changed.
    """
    if not reason.strip():
        raise Refusal("why is the list locked?", allowed='--reason "what changed"')
    text = text_of(found)
    known = digest(text)
    log = _log(to) if to.with_suffix(".json").exists() else []
    if log and log[-1]["sha256"] == known:
        raise Refusal("this list is locked already", file=to, found=known, allowed="a list that has changed")
    log.append({"date": date, "sha256": known, "relations": len(found), "reason": reason.strip()})
    to.write_text(text, encoding="utf-8")
    record = {"sha256": known, "log": log}
    to.with_suffix(".json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return known


def check_lock(found: Sequence[Relation], *, at: Path = LIST) -> str:
    """Make sure that the relations are those that were locked.

    Arguments:
        found: the relations of the evidence as it is.
        at: the locked list.

    Returns:
        the hash.

    Raises:
        Refusal: when the list was never locked, was changed by hand, or differs from the evidence.
    """
    if not at.exists() or not at.with_suffix(".json").exists():
        raise Refusal("the list of relations is not locked", file=at, allowed="--lock --reason TEXT")
    known = json.loads(at.with_suffix(".json").read_text(encoding="utf-8"))["sha256"]
    for text, what in (
        (at.read_text(encoding="utf-8"), "the list of relations is not the one that was locked"),
        (text_of(found), "the evidence holds other relations than those that were locked"),
    ):
        if digest(text) != known:
            raise Refusal(what, file=at, found=digest(text), allowed=known)
    return known


def _log(at: Path) -> list[dict[str, Any]]:
    return list(json.loads(at.with_suffix(".json").read_text(encoding="utf-8"))["log"])


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.{DIGITS}g}"
