"""How far untreated and treated courses of chronic disease agree with published ones.

    python -m mesolung.calibration.chronic [--draws 4] [--courses 60] [--disease copd]

Prints a line for each row of ``targets/chronic.csv``: published value and bounds, the model's, and whether it
lies inside. No cells or vesicles are given, and none of the rows is of a study of them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from mesolung.biology import assemble
from mesolung.biology.disease import read_disease
from mesolung.biology.spreads import YEAR_H
from mesolung.calibration.chronic_patients import COHORTS, STEP_Y, STEPS_A_YEAR, Followed, enrolled, treated
from mesolung.calibration.options import at_least_one
from mesolung.calibration.target_table import Row, number, rows_of
from mesolung.engine import SET_PARAMETER, CompiledModel, compile_model
from mesolung.population.courses import courses_of_draw
from mesolung.population.draws import Draws, draw_prior
from mesolung.population.events import same_events

Values = NDArray[np.float64]
Group = Mapping[str, Values]
TABLE = "chronic.csv"
DISEASES = ("copd", "ipf", "asthma", "healthy")


def mean(values: Values, weight: Values) -> float:
    """Weighted mean of float64[n]; nan of nobody."""
    return float(np.average(values, weights=weight)) if weight.sum() > 0.0 else float("nan")


def quantile(values: Values, weight: Values, share: float) -> float:
    """Weighted quantile of float64[n]; nan of nobody."""
    if not weight.sum() > 0.0:
        return float("nan")
    order = np.argsort(values)
    total = np.cumsum(weight[order]) / weight.sum()
    return float(values[order][np.searchsorted(total, share)])


def slope(values: Values) -> Values:
    """Least-squares slope a year of float64[n, T], float64[n]."""
    time = np.arange(values.shape[1]) * STEP_Y
    centred = time - time.mean()
    return np.asarray((values @ centred) / (centred @ centred))


def strata(at: Group) -> dict[str, NDArray[np.bool_]]:
    """Who belongs to which stratum at enrolment.

    Arguments:
        at: output -> float64[n] at enrolment.

    Returns:
        name -> bool[n].
    """
    fev1, eosinophils = at["fev1_post_pp"], at["blood_eosinophils"]
    return {
        "all": np.ones(fev1.size, bool),
        "gold2": (fev1 >= 50.0) & (fev1 < 80.0),
        "gold3": (fev1 >= 30.0) & (fev1 < 50.0),
        "gold4": fev1 < 30.0,
        "torch": at["fev1_pp"] < 60.0,
        "eos150": eosinophils >= 0.15,
        "eos300": eosinophils >= 0.3,
        "eos500": eosinophils >= 0.5,
    }


def untreated(measure: str, values: Group, w: Values) -> float:
    """Work out a measure of a group without a drug.

    Arguments:
        measure: of the table.
        values: output -> float64[n, T] from enrolment.
        w: float64[n], weights.

    Returns:
        the measure, in the table's unit.

    Raises:
        KeyError: for a measure that is none.
    """
    start = {name: v[:, 0] for name, v in values.items()}
    years = (values["HAZ"].shape[1] - 1) * STEP_Y
    rise = {name: v[:, -1] - v[:, 0] for name, v in values.items()}
    alive = w * np.exp(-0.5 * rise["HAZ"])
    points = -rise["fvc_pp"]
    match measure:
        case "fev1_fall":
            return mean(-1e3 * slope(values["fev1_post"]), alive)
        case "fev1_fall_sd":
            falls = -1e3 * slope(values["fev1_post"])
            return float(np.sqrt(mean((falls - mean(falls, alive)) ** 2, alive)))
        case "fev1_fall_smokers_more":
            falls, smokes = -1e3 * slope(values["fev1_post"]), start["smoke_signal"] > 0.0
            return mean(falls, alive * smokes) - mean(falls, alive * ~smokes)
        case "fvc_fall":
            return mean(-1e3 * slope(values["fvc"]), alive)
        case "fvc_fall_pp_sd":
            return float(np.sqrt(mean((points - mean(points, alive)) ** 2, alive)))
        case "fvc_ten_points":
            return mean((points / start["fvc_pp"] >= 0.1).astype(float), alive)
        case "walk_fall":
            return mean(-rise["walk_distance"] / years, alive)
        case "exacerbation_rate":
            return mean(rise["HAZ_exacerbation"] / years, w)
        case "death_3_years" | "death_1_year":
            return mean(-np.expm1(-rise["HAZ"]), w)
        case "pneumonia_3_years":
            return mean(-np.expm1(-rise["HAZ_pneumonia"]), w)
        case "emphysema":
            return mean(start["EMPH"], w)
        case "sputum_eosinophilia":
            return mean((start["sputum_eosinophils"] > 1.9).astype(float), w)
        case "ige_median":
            return quantile(start["serum_ige"], w, 0.5)
    for ending, share in (("_median", 0.5), ("_low_quartile", 0.25), ("_high_quartile", 0.75)):
        if measure.endswith(ending):
            return quantile(start[measure.removesuffix(ending)], w, share)
    return mean(start[measure], w)


def effect(measure: str, values: Group, other: Group, w: Values) -> float:
    """Work out a measure of a drug's effect: the same patients with (``other``) and without it.

    Arguments:
        measure: of the table.
        values, other: output -> float64[n, T] from enrolment.
        w: float64[n], weights.

    Returns:
        the measure, in the table's unit.

    Raises:
        KeyError: for a measure that is none.
    """
    late = slice(1, None)
    gain = {name: mean((other[name] - v)[:, late].mean(1), w) for name, v in values.items()}
    match measure:
        case "fev1_gain":
            return 1e3 * gain["fev1"]
        case "feno_rise":
            return gain["feno"]
        case "exacerbation_ratio" | "pneumonia_ratio":
            name = "HAZ_exacerbation" if measure.startswith("exa") else "HAZ_pneumonia"
            return mean(other[name][:, -1] - other[name][:, 0], w) / mean(
                values[name][:, -1] - values[name][:, 0], w
            )
        case "fev1_fall_saved":
            # Beyond the first half year, which holds what the drug opens at once.
            first = STEPS_A_YEAR // 2
            return mean(
                1e3 * (slope(other["fev1_post"][:, first:]) - slope(values["fev1_post"][:, first:])), w
            )
        case "fvc_fall_saved":
            return mean(1e3 * (slope(other["fvc"]) - slope(values["fvc"])), w)
        case "ten_points_ratio":
            return untreated("fvc_ten_points", other, w) / untreated("fvc_ten_points", values, w)
        case "eosinophils_geometric":
            return float(np.exp(mean(np.log(other["blood_eosinophils"][:, -1]), w)))
    raise KeyError(measure)


def ageing(model: CompiledModel, draws: Draws, count: int) -> Group:
    """Healthy non-smokers whose years count: output -> float64[n, T] over ten years."""
    outputs = ("fev1", "fvc")
    made = courses_of_draw(model, read_disease("healthy"), draws, 0, count)
    grid = np.arange(0.0, 10.0 + STEP_Y, STEP_Y) * YEAR_H
    on = same_events(SET_PARAMETER, model.parameters.index("ageing"), np.arange(count), 0.0, np.ones(count))
    solved = model.solve(made.parameters, grid, events=on, outputs=outputs, rtol=1e-4, workers=1)
    return {name: solved.values[:, :, i] for i, name in enumerate(outputs)}


def compared(model: CompiledModel, draws: Draws, disease: str, count: int) -> list[tuple[Row, float]]:
    """Compare one disease with its rows of the table.

    Arguments:
        model: the compiled biology.
        draws: parameter draws.
        disease: one of `DISEASES`.
        count: courses of each draw.

    Returns:
        each row with the model's value.
    """
    rows = [row for row in rows_of(TABLE) if row["disease"] == disease]
    if disease == "healthy":
        people = ageing(model, draws, count)
        return [(row, float(-1e3 * slope(people[row["measure"][:-5]]).mean())) for row in rows]
    found: list[tuple[Row, float]] = []
    groups: dict[str, Followed] = {}
    arms: dict[tuple[str, str], Group] = {}
    for row in rows:
        cohort = COHORTS[row["cohort"]]
        if row["cohort"] not in groups:
            groups[row["cohort"]] = enrolled(model, draws, cohort, count)
        patients = groups[row["cohort"]]
        own = strata({name: v[:, 0] for name, v in patients.values.items()})[row["stratum"]]
        w = patients.weight * own
        if not row["arm"]:
            found.append((row, untreated(row["measure"], patients.values, w)))
            continue
        key = (row["cohort"], row["arm"])
        if key not in arms:
            switch, value = ("ics", 0.0) if row["arm"] == "no_ics" else (row["arm"], 1.0)
            arms[key] = treated(model, cohort, patients, switch, value)
        found.append((row, effect(row["measure"], patients.values, arms[key], w)))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the comparison from a command line.

    Arguments:
        arguments: of the command; None for those of the process.

    Returns:
        exit status, 0.
    """
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--draws", type=at_least_one, default=4, help="parameter draws")
    parser.add_argument("--courses", type=at_least_one, default=60, help="courses of each draw")
    parser.add_argument("--disease", choices=DISEASES, action="append", help="only this one")
    options = parser.parse_args(arguments)
    model, draws = compile_model(assemble().sbml), draw_prior(options.draws, "chronic")
    inside = total = 0
    for disease in options.disease or DISEASES:
        for row, value in compared(model, draws, disease, options.courses):
            low, high = number(row["low"]), number(row["high"])
            fits = low <= value <= high
            inside, total = inside + fits, total + 1
            print(
                f"{disease:8s}{row['arm'] or '-':15s}{row['measure']:27s}{row['stratum']:8s}"
                f"{number(row['value']):9.3g} ({low:g} to {high:g}) {row['unit']:7s} model {value:9.3g}  "
                f"{'inside' if fits else 'outside'}"
            )
    print(f"{inside} of {total} inside")
    return 0


if __name__ == "__main__":
    sys.exit(main())
