"""What `mesolung explain` tells of parameters: value, spreads, source, grade and where they are used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mesolung.cli.entry import Entry, Fact
from mesolung.cli.explain_animals import in_species
from mesolung.cli.explain_uses import parameters, setters, used_in

if TYPE_CHECKING:
    from mesolung.biology.parameters import Parameter
    from mesolung.product.priors import Prior

SPREAD_SCALES = {
    "normal": "of the value",
    "lognormal": "of its natural logarithm",
    "logit-normal": "of its logit",
    "spike-normal": "of the value",
    "spike-lognormal": "of its natural logarithm",
}


def parameter_entries() -> Iterator[Entry]:
    """Tell of every row of the tables of parameters and of product priors."""
    from mesolung.biology.laws import read_laws
    from mesolung.product.priors import read_priors

    text = read_laws()
    for row in parameters():
        place: dict[str, Fact] = {"module": row.module, "species": row.species}
        uses: dict[str, Fact] = {
            "in other species": in_species(row.id, row.unit),
            "set by": setters(row.id),
            "used in": used_in(row.id, text),
        }
        yield _parameter("parameter", row, place, row.between_subject, uses)
    for prior in read_priors().values():
        table: dict[str, Fact] = {"table": f"product/{prior.table}"}
        yield _parameter("product parameter", prior, {}, 0.0, table)


def deviation(distribution: str, sd: float) -> str:
    """Say in words how wide a distribution is, "" where it has no width."""
    if not sd or distribution == "fixed":
        return ""
    return f"{distribution.removeprefix('spike-')}, SD {sd:g} {SPREAD_SCALES[distribution]}"


def graded(grade: str) -> str:
    """Say in words how well a number is known, as "A, measured in humans"."""
    from mesolung.biology.parameters import GRADES

    return f"{grade}, {GRADES[grade]}"


def uncertainty_in_words(distribution: str, uncertainty: str) -> str:
    """Say in words what the column `uncertainty` holds for a distribution."""
    if not uncertainty or distribution == "fixed":
        return "none, fixed"
    *spike, sd = uncertainty.split(";")
    words = deviation(distribution, float(sd))
    return f"exactly 0 with probability {float(spike[0]):g}, else {words}" if spike else words


def _parameter(
    kind: str, row: Parameter | Prior, place: dict[str, Fact], between_subject: float, after: dict[str, Fact]
) -> Entry:
    return Entry(
        row.id,
        kind,
        row.meaning,
        {
            **place,
            "value": f"{row.value:g} {row.unit}",
            "uncertainty": uncertainty_in_words(row.distribution, row.uncertainty),
            "between subjects": deviation(row.distribution, between_subject),
            "between lots": deviation(row.distribution, row.between_lot),
            "source": row.source,
            "grade": graded(row.grade),
            **after,
        },
        brief=(f"{row.value:g}", row.unit, row.grade),
    )
