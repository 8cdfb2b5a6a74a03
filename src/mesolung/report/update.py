"""The record of an update in words: what went in, how much it weighs, what changed, and what not to trust."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from pathlib import Path
from typing import Any

from mesolung.biology.parameters import read_parameters
from mesolung.report.answer import BANNER

MOST_PARAMETERS = 25
MOST_OBSERVATIONS = 20


def update_markdown(record: Mapping[str, Any]) -> str:
    """Write the record of an update for an assessor.

    Arguments:
        record: the object that `mesolung update --json` prints.

    Returns:
        Markdown.
    """
    parts = [
        "# Record of an update with private data",
        f"{BANNER}.",
        f"**{verdict(record)}**",
        _made(record),
        _inputs(record),
        _weights(record),
        _conflict(record),
        _elicited(record),
        _lots(record),
        _parameters(record),
        _headline(record),
        f"## Where it was computed\n\n{record['local']}",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def verdict(record: Mapping[str, Any]) -> str:
    """The first line: whether there is an updated posterior, and what speaks against it.

    Arguments:
        record: as `update_markdown`.
    """
    weights = record["weights"]
    worth = f"{weights['effective']:.0f} of {record['draws']} draws"
    if not weights["reliable"]:
        return (
            f"No posterior was made: k-hat {_khat(weights['khat'])} is above {weights['khat_limit']:g}, the "
            f"weights rest on too few draws ({worth}). A refit with these data is needed, or more draws."
        )
    said = f"Posterior {record['posterior']}: k-hat {_khat(weights['khat'])}, worth {worth}."
    conflict = record["conflict"]
    if conflict["stored"]["told"]:
        return f"{said} Conflict: {conflict['said']}."
    return said


def _made(record: Mapping[str, Any]) -> str:
    note = f"\n\nNote: {record['note']}." if record["note"] else ""
    return (
        _table(
            ("", ""),
            [
                ("command", f"`{record['command']}`"),
                ("version", record["version"]),
                ("date", record["date"]),
                ("seed", record["seed"]),
                ("draws", record["draws"]),
                ("started from", record["made_from"]),
                ("borrowed", f"{record['borrow']:g} (0 the prior alone, 1 all that is stored)"),
                ("numbers of the model (SHA-256)", f"`{record['parameters_numbers']}`"),
                ("laws of the model (SHA-256)", f"`{record['modules_sha256']}`"),
            ],
        )
        + note
    )


def _inputs(record: Mapping[str, Any]) -> str:
    rows = [(name, f"`{digest}`") for name, digest in record["inputs"].items()]
    return f"## Inputs\n\n{_table(('file', 'SHA-256'), rows)}"


def _weights(record: Mapping[str, Any]) -> str:
    if not record["trials"]:
        return ""
    rows = []
    for trial, one in record["trials"].items():
        left = [f"{n}: {reason}" for reason, n in one["left_out"].items()]
        left += [f"{one['not_modelled']}: not modelled yet"] if one["not_modelled"] else []
        left += list(one["refused"])
        rows.append(
            (
                trial,
                one["observations"],
                f"{one['power']:.2f}",
                _khat(one["khat_alone"]),
                "; ".join(left) or "none",
            )
        )
    head = ("trial", "results in the weights", "power", "k-hat alone", "left out")
    said = (
        "A draw is weighed by how likely the private results are under it, bias of the design integrated "
        "out. Results of one trial are of the same patients and count as two at most: the power. k-hat is "
        "the shape of the tail of the weights; above 0.7 their mean cannot be trusted."
    )
    return f"## What the draws were weighed by\n\n{said}\n\n{_table(head, rows)}"


def _conflict(record: Mapping[str, Any]) -> str:
    found = record["conflict"]
    stored, prior = found["stored"], found["prior"]
    if not stored["observations"] and stored["p"] is None:
        return ""
    said = (
        "Chance of data as improbable as the private ones, simulated from the draws before they were "
        f"weighed (Box's predictive check over {stored['results']} results): p = {_p(stored['p'])} with "
        "all that is stored"
    )
    said += f", {_p(prior['p'])} with the prior alone." if prior else "."
    said += f" {found['said'][:1].upper()}{found['said'][1:]}." if found["said"] else ""
    rows = [
        (o["study"], o["index"] + 1, o["endpoint"], _p(o["tail"]))
        for o in stored["observations"][:MOST_OBSERVATIONS]
    ]
    head = ("study", "observation", "endpoint", "chance of as surprising a number")
    return f"## Conflict\n\n{said}\n\n{_table(head, rows)}"


def _elicited(record: Mapping[str, Any]) -> str:
    if not record["elicited"]:
        return ""
    rows = []
    for name, one in record["elicited"].items():
        rows.append((name, "prior", "", _triple(one["prior"]), one["unit"]))
        for expert, own in one["experts"].items():
            said = ", ".join(f"{p:g}: {v:g}" for p, v in own["said"])
            rows.append((name, expert, said, _triple(own["fitted"]), one["unit"]))
        rows.append((name, "pooled", "", _triple(one["pooled"]), one["unit"]))
    head = ("parameter", "whose", "quantiles as said", "5, 50 and 95 % as fitted", "unit")
    said = "The linear pool, every expert alike, replaces the prior."
    return f"## Elicited ranges\n\n{said}\n\n{_table(head, rows)}"


def _lots(record: Mapping[str, Any]) -> str:
    if not record["lots"]:
        return ""
    rows = [
        (
            name, one["lots"], f"0 ({one['prior_error']:.2f})", f"{one['shift']:+.2f} ({one['error']:.2f})",
            f"{one['prior_between']:.2f}", f"{one['between_lot']:.2f}",
        )
        for name, one in record["lots"].items()
    ]  # fmt: skip
    head = ("property", "lots", "mean before (SD)", "after (SD)", "spread between lots before", "after")
    said = "On the natural-log scale, logit for shares, against the table's typical value."
    return f"## The laboratory's own lots\n\n{said}\n\n{_table(head, rows)}"


def _parameters(record: Mapping[str, Any]) -> str:
    noise = sqrt(2.0 / max(record["weights"]["effective"], 1.0))
    known = read_parameters()
    ordered = sorted(record["parameters"].items(), key=lambda pair: -abs(pair[1]["contraction"]))
    rows = [
        (
            name, known[name].meaning, known[name].grade, f"{one['contraction']:.2f}",
            f"{one['from_prior']:.2f}", f"{one['moved']:+.2f}",
        )
        for name, one in ordered[:MOST_PARAMETERS]
    ]  # fmt: skip
    head = ("parameter", "meaning", "grade", "contraction", "against the prior", "moved, SD")
    said = (
        "Contraction: 1 - variance after over variance before. With so many effective draws a parameter "
        f"of which nothing was learnt shows up to ±{2.0 * noise:.2f}. The {len(rows)} largest of "
        f"{len(ordered)}."
    )
    return f"## Parameters\n\n{said}\n\n{_table(head, rows)}"


def _headline(record: Mapping[str, Any]) -> str:
    found = record["headline"]
    if not found:
        return ""
    rows = []
    for pair, endpoints in found["after"].items():
        for endpoint, after in endpoints.items():
            before = found["before"].get(pair, {}).get(endpoint, {})
            rows.append((pair, endpoint, after.get("measure"), _effect(before), _effect(after)))
    head = ("comparison", "endpoint", "measure", "before: median (5 to 95 %), P(benefit)", "after")
    return f"## Effect in {found['study']}\n\n{_table(head, rows)}"


def _effect(one: Mapping[str, Any]) -> str:
    numbers = [one.get(name) for name in ("p50", "p05", "p95", "p_benefit")]
    if any(v is None or v != v for v in numbers):
        return "–"
    middle, low, high, benefit = numbers
    return f"{middle:.3g} ({low:.3g} to {high:.3g}), {benefit:.0%}"


def _triple(values: Sequence[float]) -> str:
    return ", ".join(f"{v:.3g}" for v in values)


def _khat(value: float | None) -> str:
    return "not told" if value is None else f"{value:.2f}"


def _p(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |"]
    lines += ["| " + " | ".join(str(cell).replace("|", "/") for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def write_update(record: Mapping[str, Any], path: Path) -> None:
    """Write the record of an update as Markdown.

    Arguments:
        record: as `update_markdown`.
        path: the file to make.
    """
    path.write_text(update_markdown(record), encoding="utf-8")
