"""`mesolung explain`: what a name means and where its number comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields
from difflib import get_close_matches
from math import inf
from typing import TYPE_CHECKING

from mesolung.cli.entry import Entry, listed, spelled
from mesolung.reading import Refusal

if TYPE_CHECKING:
    from mesolung.biology.disease import Spread
    from mesolung.biology.parameters import Parameter
    from mesolung.product.priors import Prior

GRADES = {
    "A": "A, measured in humans",
    "B": "B, measured in animals or in vitro",
    "C": "C, assumed",
}
SPREAD_SCALES = {
    "normal": "of the value",
    "lognormal": "of its natural logarithm",
    "logit-normal": "of its logit",
    "spike-normal": "of the value",
    "spike-lognormal": "of its natural logarithm",
}


def explain_name(name: str) -> None:
    """Print what a name means, or a list of names.

    Arguments:
        name: a parameter, endpoint, covariate, background or disease; or the plural of one, for its list.

    Raises:
        Refusal: for a name that nothing has, with the nearest ones.
    """
    if name in LISTS:
        print("\n".join(listed(list(LISTS[name]()))))
        return
    entries = [entry for source in LISTS.values() for entry in source()]
    found = [entry for entry in entries if entry.name == name]
    if not found:
        near = get_close_matches(name, [entry.name for entry in entries] + list(LISTS), n=3, cutoff=0.5)
        lists = f"the lists {', '.join(LISTS)}"
        raise Refusal(
            "unknown name", found=name, allowed=f"perhaps {', '.join(near)}; {lists}" if near else lists
        )
    print("\n\n".join("\n".join(spelled(entry)) for entry in found))


def _parameters() -> Iterator[Entry]:
    from mesolung.biology.parameters import read_parameters
    from mesolung.product.priors import read_priors

    for row in read_parameters():
        between = {"between subjects": _deviation(row.distribution, row.between_subject)}
        yield _parameter("parameter", row, {"module": row.module, "species": row.species}, between)
    for prior in read_priors().values():
        yield _parameter("product parameter", prior, {}, {})


def _parameter(kind: str, row: Parameter | Prior, place: dict[str, str], between: dict[str, str]) -> Entry:
    return Entry(
        row.id,
        kind,
        row.meaning,
        {
            **place,
            "value": f"{row.value:g} {row.unit}",
            "uncertainty": _uncertainty(row.distribution, row.uncertainty),
            **between,
            "between lots": _deviation(row.distribution, row.between_lot),
            "source": row.source,
            "grade": GRADES[row.grade],
        },
        brief=(f"{row.value:g}", row.unit, row.grade),
    )


def _uncertainty(distribution: str, uncertainty: str) -> str:
    """Say in words what the column `uncertainty` holds for a distribution."""
    if not uncertainty or distribution == "fixed":
        return "none, fixed"
    *spike, deviation = uncertainty.split(";")
    words = _deviation(distribution, float(deviation))
    return f"exactly 0 with probability {float(spike[0]):g}, else {words}" if spike else words


def _deviation(distribution: str, deviation: float) -> str:
    if not deviation or distribution == "fixed":
        return ""
    return f"{distribution.removeprefix('spike-')}, SD {deviation:g} {SPREAD_SCALES[distribution]}"


def _diseases() -> Iterator[Entry]:
    from mesolung.biology.disease import diseases, read_disease

    for name in diseases():
        disease = read_disease(name)
        yield Entry(
            name,
            "disease",
            disease.label,
            {
                "course": f"{disease.length_h / 24:g} d, sampled every {disease.sampled_every_h:g} h",
                "groups": ", ".join(f"{group} {share:g}" for group, share in disease.groups),
                "drivers": "; ".join(
                    f"{driver.target} {_spread(driver.amount)}"
                    + (f" ({driver.group})" if driver.group else "")
                    for driver in disease.drivers
                ),
                "enrolled": "; ".join(_bounds(c.name, c.lowest, c.highest) for c in disease.criteria),
                "delay": _spread(disease.delay),
                **{f"covariate {key}": _spread(spread) for key, spread in disease.covariates.items()},
            },
            brief=(),
        )


def _spread(spread: Spread) -> str:
    unit = "" if spread.unit == "1" else f" {spread.unit}"
    text = f"{spread.value:g}{unit}"
    if spread.sd:
        text += f" ({_deviation(spread.distribution, spread.sd)})"
    return text


def _bounds(name: str, lowest: float, highest: float) -> str:
    low = f"{lowest:g} <= " if lowest > -inf else ""
    high = f" <= {highest:g}" if highest < inf else ""
    return f"{low}{name}{high}"


def _table(kind: str, read: str, *brief: str) -> Callable[[], Iterator[Entry]]:
    """Entries of one of the tables of names: every column that is filled in is a fact."""

    def entries() -> Iterator[Entry]:
        from mesolung.biology import tables

        for name, row in getattr(tables, read)().items():
            facts = {field.name: _told(getattr(row, field.name)) for field in fields(row)}
            meaning = facts.pop("label", "") or facts.pop("meaning", "")
            shown = tuple(facts.get(column, "") for column in brief)
            yield Entry(
                name, kind, meaning, {k.replace("_", " "): v for k, v in facts.items() if k != "name"}, shown
            )

    return entries


def _told(value: object) -> str:
    if value is None or value != value or value in (inf, -inf):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple | list | frozenset):
        return ", ".join(map(str, value))
    return str(value)


LISTS: dict[str, Callable[[], Iterator[Entry]]] = {
    "parameters": _parameters,
    "endpoints": _table("endpoint", "endpoints", "unit", "better"),
    "covariates": _table("covariate", "covariates", "unit"),
    "backgrounds": _table("background", "backgrounds", "kind"),
    "diseases": _diseases,
}
