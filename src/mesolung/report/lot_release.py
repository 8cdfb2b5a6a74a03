"""The release of a lot as tables: definitions side by side, and each with its limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesolung.report.numbers import UNKNOWN, number, percent
from mesolung.report.tables import Table, table


def outcome(release: Mapping[str, Any]) -> str:
    """The outcome of a specification in words: one that is not fully tested says how far it is.

    Arguments:
        release: of the card.
    """
    lines = release["lines"]
    missing = sum(line["outcome"] == "not tested" for line in lines)
    if release["outcome"] != "not tested":
        return str(release["outcome"])
    return (
        "not tested"
        if missing == len(lines)
        else f"passes what was tested, {missing} of {len(lines)} limits not tested"
    )


def overview(card: Mapping[str, Any]) -> Table:
    """Set the definitions side by side: for whom, outcome, probability, source.

    Arguments:
        card: of the lot.
    """
    rows = [
        (
            one["name"],
            ", ".join(one["tissues"]) or "any",
            outcome(one),
            _chance(one["probability"]),
            one["source"],
        )
        for one in card["release"]
    ]
    header = ("Specification", "For", "Outcome", "Probability that all measured limits are met", "Source")
    return table("Definitions side by side", header, rows, (3,))


def side_by_side(card: Mapping[str, Any]) -> Table | None:
    """Set the limits side by side: a row an attribute, a column a definition.

    Arguments:
        card: of the lot.

    Returns:
        the table; None for fewer than two definitions.
    """
    release = card["release"]
    if len(release) < 2:
        return None
    asked: dict[str, dict[str, str]] = {}
    found: dict[str, str] = {}
    for one in release:
        for line in one["lines"]:
            name = _attribute(line)
            found[name] = _found(line)
            asked.setdefault(name, {})[one["id"]] = f"{_limit(line)}: {line['outcome']}"
    rows = [
        (name, found[name], *(by.get(one["id"], UNKNOWN) for one in release)) for name, by in asked.items()
    ]
    header = ("What", "Measured", *(one["name"] for one in release))
    return table("What each definition asks", header, rows)


def _attribute(line: Mapping[str, Any]) -> str:
    return str(line["what"]).replace("particles_per_ug", "particles per ug of protein").replace("_", " ")


def release_table(one: Mapping[str, Any]) -> Table:
    """List the limits of a specification with what was measured.

    Arguments:
        one: the specification, of the card.
    """
    rows = [
        (
            _attribute(line),
            _limit(line),
            _found(line),
            line["outcome"] + (f" ({line['why']})" if line["why"] else ""),
            _chance(line["probability"]),
        )
        for line in one["lines"]
    ]
    header = ("What", "Limit", "Measured", "Outcome", "Probability")
    return table(f"{one['name']}: {outcome(one)}", header, rows, (4,))


def _chance(value: Any) -> str:
    """A probability that is nearly certain is not told as certain."""
    if value is None:
        return UNKNOWN
    return "> 0.999" if value > 0.999 else "< 0.001" if value < 0.001 else number(value)


def _limit(line: Mapping[str, Any]) -> str:
    number_of = line["unit"] not in ("", "fraction", "passage") and str(line["limit"]).startswith("at ")
    unit = str(line["unit"]).replace("1/ug", "/ug")
    number_of = number_of and not str(line["limit"]).endswith(str(line["unit"]))
    return f"{line['limit']} {unit}" if number_of and not line["why"] else str(line["limit"])


def _found(line: Mapping[str, Any]) -> str:
    value = line["found"]
    if value is None:
        return UNKNOWN
    if isinstance(value, str | bool):
        return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else value
    text = (
        percent(value)
        if line["unit"] == "fraction"
        else f"{number(value)} {str(line['unit']).replace('1/ug', '/ug')}".strip()
    )
    return f"below {text}" if line["below"] else text
