"""How a run was made: the tables of the report's end, from the manifest."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from mesolung.biology.parameters import GRADES
from mesolung.report.numbers import UNKNOWN, anything, is_number, number, percent
from mesolung.report.plan import Plan, in_plan_order
from mesolung.report.tables import Table, table
from mesolung.report.words import Words


def assumed_table(json: Mapping[str, Any], manifest: Mapping[str, Any]) -> Table | None:
    """Inputs that the study file does not state.

    Arguments:
        json: gives the names where the manifest has no more.
        manifest: gives value, unit and reason.

    Returns:
        The table, or None when all inputs were stated.
    """
    found = list(manifest.get("assumed_inputs") or [])
    named = {e.get("name") for e in found if isinstance(e, Mapping)}
    found += [{"name": name} for name in json.get("assumed_inputs") or [] if name not in named]
    rows = [
        (anything(e.get("name")), anything(e.get("value")), anything(e.get("unit")), anything(e.get("why")))
        if isinstance(e, Mapping)
        else (anything(e), UNKNOWN, UNKNOWN, UNKNOWN)
        for e in found
    ]
    return table("Assumed inputs", ("Input", "Value", "Unit", "Why"), rows) if rows else None


def enrolment_tables(manifest: Mapping[str, Any], plan: Plan, words: Words) -> list[Table]:
    """Who was enrolled: requested against achieved table 1, and how many courses carry it.

    Arguments:
        manifest: ``population`` or ``enrolment``, by arm.
        plan: gives the order of the arms.
        words: labels of the baseline names.

    Returns:
        The tables, those of diseases, correlations and phenotypes among them; none where the manifest has no
        population.
    """
    population: Mapping[str, Any] = manifest.get("population") or manifest.get("enrolment") or {}
    arms = [a for a in in_plan_order(population, plan) if isinstance(population[a], Mapping)]
    baseline = []
    for arm in arms:
        entries = population[arm].get("baseline") or []
        if isinstance(entries, Mapping):
            entries = [{"name": name, **_mapping(value)} for name, value in entries.items()]
        baseline += [
            (
                arm,
                words.name(str(e.get("name"))),
                anything(e.get("unit")),
                anything(e.get("requested")),
                anything(e.get("achieved")),
            )
            for e in entries
        ]
    pools = [
        (
            arm,
            number(population[arm].get("effective_size")),
            number(population[arm].get("pool")),
            percent(population[arm].get("borrowed")),
        )
        for arm in arms
    ]
    tables = []
    if baseline:
        header = ("Arm", "At enrolment", "Unit", "Requested", "Achieved")
        tables.append(table("Table 1: requested and achieved", header, baseline))
    if pools:
        header = ("Arm", "Effective size", "Courses in the pool", "Borrowed from neighbouring draws")
        tables.append(table("How many simulated courses carry it", header, pools, (1, 2, 3)))
    return tables + _mixture_tables(population, arms) + _phenotype_tables(population, arms, words)


def _mixture_tables(population: Mapping[str, Any], arms: list[str]) -> list[Table]:
    """Diseases of a mixture as they came out, and correlations as requested and achieved."""
    shares = [
        (arm, str(name), percent(share))
        for arm in arms
        for name, share in _mapping(population[arm].get("diseases", {})).items()
    ]
    pairs = [
        (arm, f"{e.get('first')}, {e.get('second')}", number(e.get("requested")), number(e.get("achieved")))
        for arm in arms
        for e in population[arm].get("correlation") or []
        if isinstance(e, Mapping)
    ]
    tables = []
    if shares:
        tables.append(table("Diseases of the subjects", ("Arm", "Disease", "Share"), shares, (2,)))
    if pairs:
        header = ("Arm", "Quantities", "Requested", "Achieved")
        tables.append(table("Rank correlations at enrolment", header, pairs, (2, 3)))
    return tables


def _phenotype_tables(population: Mapping[str, Any], arms: list[str], words: Words) -> list[Table]:
    """Share of each phenotype among the living, over time."""
    shares = {arm: _mapping(population[arm].get("phenotypes", {})) for arm in arms}
    days = list(
        dict.fromkeys(d for found in shares.values() for one in found.values() for d in _mapping(one))
    )
    rows = [
        (arm, words.name(str(name)), *(percent(_mapping(one).get(day)) for day in days))
        for arm in arms
        for name, one in shares[arm].items()
    ]
    header = ("Arm", "Phenotype", *days)
    caption = "Phenotypes among those alive, by time since enrolment"
    return [table(caption, header, rows, tuple(range(2, len(header))))] if rows else []


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {"achieved": value}


def grade_table(manifest: Mapping[str, Any]) -> Table | None:
    """How well the parameters are known; switches, covariates and definitions have nothing to know.

    Arguments:
        manifest: ``parameter_grades``, without settings.

    Returns:
        The table, or None without grades.
    """
    grades: Mapping[str, Any] = manifest.get("parameter_grades") or {}
    total = sum(v for v in grades.values() if is_number(v))
    rows = [
        (
            grade,
            GRADES.get(grade, ""),
            number(count),
            percent(count / total if total and is_number(count) else None),
        )
        for grade, count in sorted(grades.items())
    ]
    header = ("Grade", "Known from", "Parameters", "Share")
    caption = "Parameters by grade of their source (without switches, covariates and definitions)"
    return table(caption, header, rows, (2, 3)) if rows else None


def facts_table(json: Mapping[str, Any], manifest: Mapping[str, Any]) -> Table:
    """Seed, versions, hashes.

    Arguments:
        json: the result's object.
        manifest: how the run was made.

    Returns:
        The table.
    """
    facts: dict[str, Any] = {
        "replicates (simulated trials)": json.get("replicates"),
        "parameter draws": manifest.get("draws"),
        "posterior": json.get("posterior") or manifest.get("posterior"),
        "hash of the inputs (SHA-256)": json.get("inputs_sha256") or manifest.get("inputs_sha256"),
        "hash of the model": manifest.get("model_sha256") or manifest.get("model_hash"),
        "version of mesolung": json.get("version"),
        "run folder": manifest.get("folder"),
    }
    rows = [("seed", _exact(json.get("seed", manifest.get("seed"))))]
    rows += [(name, _exact(value)) for name, value in facts.items() if value is not None]
    versions = _mapping(manifest.get("versions"))
    rows += [(f"version of {name}", _exact(v)) for name, v in sorted(versions.items()) if name != "mesolung"]
    return table("Seed, versions and hashes", ("What", "Value"), rows)


def _exact(value: Any) -> str:
    """An identifier as it is: a seed is never rounded."""
    return str(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else anything(value)


def timing_table(manifest: Mapping[str, Any]) -> Table | None:
    """Seconds by stage.

    Arguments:
        manifest: ``timings``.

    Returns:
        The table, or None without timings.
    """
    timings = _mapping(manifest.get("timings"))
    rows = [(str(name).replace("_", " "), anything(seconds)) for name, seconds in timings.items()]
    return table("Timings", ("Stage", "Time (s)"), rows, (1,)) if rows else None


def failure_tables(json: Mapping[str, Any], manifest: Mapping[str, Any]) -> list[Table]:
    """What failed, zero included.

    Arguments:
        json: gives the counts.
        manifest: gives the list of failed subjects and the library's failures.

    Returns:
        The tables.
    """
    rows = [
        ("subjects that could not be solved", number(json.get("failed_subjects"))),
        ("replicates with such a subject", number(json.get("failed_replicates"))),
    ]
    library = manifest.get("library")
    if isinstance(library, Mapping):
        rows += [
            (f"library of untreated courses: {str(k).replace('_', ' ')}", anything(v))
            for k, v in library.items()
        ]
    elif library is not None:
        rows.append(("library of untreated courses", anything(library)))
    tables: list[Table] = []
    found = manifest.get("failures")
    lists = _mapping(found) if isinstance(found, Mapping) else {"subjects": found}
    for name, value in lists.items():
        entries = [e for e in value if isinstance(e, Mapping)] if isinstance(value, list) else []
        if entries:
            columns = list(dict.fromkeys(str(key) for e in entries for key in e))
            body = [[anything(e.get(column)) for column in columns] for e in entries[:200]]
            caption = f"Failed: {name.replace('_', ' ')}"
            tables.append(table(caption, [c.replace("_", " ") for c in columns], body))
        elif value and not isinstance(value, list):
            rows.append((name.replace("_", " "), anything(value)))
    return [table("Failures", ("What", "Count"), rows, (1,)), *tables]


def repeat_command(json: Mapping[str, Any], manifest: Mapping[str, Any]) -> str:
    """The command that makes the same numbers again.

    Arguments:
        json: replicates and seed.
        manifest: ``command`` as it was given, or what to build it from.

    Returns:
        A line for a shell, to be given in the run folder.
    """
    given = manifest.get("command")
    if isinstance(given, (list, tuple)):
        return shlex.join(str(part) for part in given)
    if isinstance(given, str) and given:
        return given
    parts = ["mesolung", "run", "study.toml", "--replicates", str(json.get("replicates", 200))]
    if manifest.get("draws") not in (None, json.get("replicates")):
        parts += ["--draws", str(manifest["draws"])]
    return shlex.join([*parts, "--seed", str(json.get("seed", 1))])


def limits(json: Mapping[str, Any]) -> list[str]:
    """What a reader must know before believing a number.

    Arguments:
        json: the posterior's name and the assumed inputs.

    Returns:
        Sentences.
    """
    said = []
    if str(json.get("posterior", "")).startswith("prior-"):
        said.append(
            "No parameter has been fitted to a trial of cells: the effects of the product are a prior, which "
            "includes that it does nothing in humans. A wide interval here is ignorance, not noise."
        )
    said += [
        "Intervals hold the uncertainty of parameters, patients, lots and chance. They do not hold what the "
        "model leaves out: mechanisms, care and complications that are not in it.",
        "Usual care is coarse: ventilation follows gas exchange, and drugs other than those of the study "
        "file are not given.",
        "Better oxygenation or lower cytokines do not have to mean longer life in this model; read each "
        "endpoint by itself.",
        "Not meant for children, pregnancy or extracorporeal support, and never for a decision about one "
        "patient.",
    ]
    count = len(json.get("assumed_inputs") or [])
    if count:
        said.append(
            f"{count} {'input was' if count == 1 else 'inputs were'} not stated by the study file and "
            f"{'was' if count == 1 else 'were'} assumed (listed above)."
        )
    return said
