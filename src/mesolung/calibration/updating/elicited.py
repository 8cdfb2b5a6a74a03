"""What experts said of a parameter: quantiles of each, the distribution that fits them, and their pool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, logsumexp, ndtri
from scipy.stats import norm

from mesolung.biology.parameters import Parameter, Parameters, read_parameters
from mesolung.calibration.updating.borrow import uncertain
from mesolung.population.posterior import Posterior
from mesolung.reading import Refusal, Row, read_table

Values = NDArray[np.float64]
COLUMNS = ("parameter", "expert", "unit", "probability", "value")
# What was measured in people or animals is not replaced by an opinion.
GRADE = "C"
SHOWN = (0.05, 0.5, 0.95)


@dataclass(frozen=True)
class Opinion:
    """One expert's distribution of one parameter, on the scale of its prior's family.

    Attributes:
        expert: who.
        mean, sd: of the normal distribution that fits the quantiles, on that scale.
        said: (probability, value) as written, in the row's unit.
    """

    expert: str
    mean: float
    sd: float
    said: tuple[tuple[float, float], ...]


def read_elicited(path: Path, table: Parameters | None = None) -> dict[str, tuple[Opinion, ...]]:
    """Read elicited quantiles.

    Arguments:
        path: CSV with the columns parameter, expert, unit, probability and value: a row a quantile, two or
            more for each expert and parameter, as the SHELF form has them.
        table: of parameters; None for the bundled one.

    Returns:
        parameter -> opinions, both in the order of the file.

    Raises:
        Refusal: with the line of a parameter that is unknown, fixed, may be exactly 0, or of grade A or B; of
            another unit; of a quantile that is none; and for an expert with fewer than two.

    Source: Oakley and O'Hagan, SHELF: the Sheffield Elicitation Framework; least squares of the quantiles.
    """
    table = table or read_parameters()
    if not path.is_file():
        raise Refusal("no such file", file=path, allowed=f"CSV with the columns {', '.join(COLUMNS)}")
    rows: dict[tuple[str, str], list[tuple[Row, float, float]]] = {}
    for row in read_table(path, COLUMNS):
        parameter = _parameter(row, path, table)
        number = _number(row, path, "probability"), _number(row, path, "value")
        if not 0.0 < number[0] < 1.0:
            raise _refused(
                row, path, "no probability", row["probability"], "between 0 and 1, ends not included"
            )
        if not np.isfinite(_scaled(parameter, np.array([number[1]]))[0]):
            raise _refused(
                row, path, f"{parameter.id} cannot have this value", row["value"], parameter.distribution
            )
        rows.setdefault((parameter.id, row["expert"].strip()), []).append((row, *number))
    if not rows:
        raise Refusal("holds no quantile", file=path, allowed="a row a quantile")
    found: dict[str, tuple[Opinion, ...]] = {}
    for (name, expert), own in rows.items():
        found[name] = (
            *found.get(name, ()),
            _fitted(table[name], expert, sorted(own, key=lambda o: o[1]), path),
        )
    return found


def log_ratio(posterior: Posterior, opinions: Mapping[str, Sequence[Opinion]]) -> Values:
    """What replacing priors by the experts' pool changes in the weight of each draw.

    Arguments:
        posterior: the draws.
        opinions: from `read_elicited`.

    Returns:
        float64[n], natural log of the pooled density over the prior's, summed over parameters. The pool is
        linear: every expert has the same weight.

    Source: linear opinion pool, Stone 1961 Ann Math Stat 32:1339, doi 10.1214/aoms/1177704873.
    """
    table = read_parameters()
    total = np.zeros(posterior.count)
    for name, own in opinions.items():
        row = table[name]
        at = _scaled(row, posterior.values_of(name))
        pool = logsumexp([norm.logpdf(at, one.mean, one.sd) for one in own], axis=0) - np.log(len(own))
        middle = float(_scaled(row, np.array([row.value]))[0])
        total += pool - norm.logpdf(at, middle, float(row.uncertainty))
    return total


def told(name: str, opinions: Sequence[Opinion], table: Parameters | None = None) -> dict[str, object]:
    """What a record says of an elicited parameter: each expert's fit, and the pool.

    Arguments:
        name: of the parameter.
        opinions: of it.
        table: of parameters; None for the bundled one.
    """
    row = (table or read_parameters())[name]
    grid = np.linspace(
        min(o.mean - 6.0 * o.sd for o in opinions), max(o.mean + 6.0 * o.sd for o in opinions), 4001
    )
    below = np.mean([norm.cdf(grid, o.mean, o.sd) for o in opinions], axis=0)
    prior = norm.ppf(SHOWN, float(_scaled(row, np.array([row.value]))[0]), float(row.uncertainty))
    return {
        "unit": row.unit,
        "source_replaced": row.source,
        "prior": _plain(row, prior),
        "pooled": _plain(row, np.interp(SHOWN, below, grid)),
        "experts": {
            o.expert: {
                "said": [list(pair) for pair in o.said],
                "fitted": _plain(row, norm.ppf(SHOWN, o.mean, o.sd)),
            }
            for o in opinions
        },
    }


def _parameter(row: Row, path: Path, table: Parameters) -> Parameter:
    name = row["parameter"].strip()
    if name not in table:
        raise _refused(
            row, path, "unknown parameter", name, "a name that `mesolung explain parameters` lists"
        )
    found = table[name]
    if found.grade != GRADE:
        raise _refused(
            row, path, f"{name} was measured (grade {found.grade}), and no opinion replaces that",
            found.source, "a parameter of grade C; data on it as a study file with --with",
        )  # fmt: skip
    if not uncertain(found) or found.distribution.startswith("spike-"):
        raise _refused(
            row, path, f"{name} has no smooth prior to replace", found.distribution, "an uncertain parameter"
        )
    if row["unit"].strip() != found.unit:
        raise _refused(row, path, f"{name} has another unit", row["unit"], found.unit)
    return found


def _fitted(row: Parameter, expert: str, own: Sequence[tuple[Row, float, float]], path: Path) -> Opinion:
    chances, values = np.array([p for _, p, _ in own]), np.array([v for _, _, v in own])
    first = own[0][0]
    if len(own) < 2:
        raise _refused(first, path, f"one quantile of {row.id} by {expert}", str(values[0]), "two or more")
    if np.any(np.diff(chances) <= 0.0) or np.any(np.diff(values) <= 0.0):
        raise _refused(
            first, path, f"quantiles of {row.id} by {expert} do not rise",
            ", ".join(f"{p:g}: {v:g}" for p, v in zip(chances, values, strict=True)),
            "higher values at higher probabilities, each once",
        )  # fmt: skip
    sd, mean = np.polyfit(ndtri(chances), _scaled(row, values), 1)
    return Opinion(expert, float(mean), float(sd), tuple(zip(chances.tolist(), values.tolist(), strict=True)))


def _scaled(row: Parameter, values: Values) -> Values:
    with np.errstate(divide="ignore", invalid="ignore"):
        if row.distribution == "lognormal":
            return np.log(values)
        return logit(values) if row.distribution == "logit-normal" else values


def _plain(row: Parameter, scaled: Values) -> list[float]:
    if row.distribution == "lognormal":
        scaled = np.exp(scaled)
    elif row.distribution == "logit-normal":
        scaled = expit(scaled)
    return [float(v) for v in scaled]


def _number(row: Row, path: Path, column: str) -> float:
    try:
        found = float(row[column])
    except ValueError:
        found = float("nan")
    if not np.isfinite(found):
        raise _refused(row, path, f"no number in {column}", row[column], "a finite number")
    return found


def _refused(row: Row, path: Path, why: str, what: str, allowed: str) -> Refusal:
    return Refusal(why, file=path, line=row.line, found=what, allowed=allowed)
