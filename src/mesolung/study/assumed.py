"""Inputs that a study does not state, with what stands in for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mesolung.biology.animal_disease import disease_of_agent, read_animal_disease
from mesolung.biology.disease import read_disease
from mesolung.biology.tables import backgrounds, routes
from mesolung.product.kinds import COUNTED, KINDS, WIDE, conversion, stated_priors
from mesolung.product.living import MIST
from mesolung.product.priors import read_priors
from mesolung.product.product import ALIVE, TABLES, WITHOUT_CELLS
from mesolung.product.unknowns import unknowns
from mesolung.product.unstated import unknown_doses, unstated
from mesolung.study.animal_endpoints import EXPERIMENTS
from mesolung.study.animal_modelled import injuries_of, route_of
from mesolung.study.animals import EX_VIVO, WEIGHT, host_of
from mesolung.study.arm import UNKNOWN, Treatment
from mesolung.study.dosing import unit_of_dose
from mesolung.study.study import Study
from mesolung.study.ways import habits_of


def assumed_inputs(study: Study) -> list[dict[str, Any]]:
    """List what a run has to assume because the study file does not say it.

    Arguments:
        study: the validated study.

    Returns:
        name, value, unit and why of each, sorted by name; names are unique.
    """
    lines: dict[str, dict[str, Any]] = {}

    def add(name: str, value: Any, unit: str, why: str) -> None:
        lines.setdefault(name, {"name": name, "value": value, "unit": unit, "why": why})

    if study.kind in EXPERIMENTS:
        _of_experiment(study, add)
        _of_treatments(study, add)
        return [lines[name] for name in sorted(lines)]
    diseases = [read_disease(name) for name in study.disease_names]
    stated = set(study.population.baseline)
    for arm in study.arms:
        stated |= set(arm.baseline)
    for name, spread in diseases[0].covariates.items():
        if name not in stated:
            spreads = [d.covariates[name] for d in diseases if name in d.covariates]
            value = spread.value if all(s.value == spread.value for s in spreads) else None
            whose = " and ".join(d.label for d in diseases)
            add(name, value, spread.unit, f"not stated: from the population of {whose}")
    # Of a mixture each disease has its own; the first stands for them.
    disease = diseases[0]
    onset = study.population.onset_to_enrolment
    if onset is not None and onset.mean is not None and onset.sd is None:
        add(
            "onset_to_enrolment.sd",
            onset.mean * disease.delay.relative_sd,
            "h",
            "not stated: the disease's spread",
        )
    if study.followed_from_onset and not disease.criteria:
        add("onset_to_enrolment", 0.0, "h", "not stated: followed from the onset of symptoms on")
    elif onset is None and (disease.drivers or disease.criteria):
        add("onset_to_enrolment", disease.delay.value, "h", "not stated: the disease's usual delay")
    if "mechanical_ventilation" not in study.population.background and disease.criteria:
        add("mechanical_ventilation", None, "fraction", "not stated: as the enrolled courses have it")
    _of_treatments(study, add)
    return [lines[name] for name in sorted(lines)]


def _of_treatments(study: Study, add: Any) -> None:
    for arm in study.arms:
        for name, background in arm.background.items():
            row = backgrounds()[name]
            if row.how in ("dose", "occupancy") and background.dose is None:
                add(f"{name}.dose", row.dose, row.unit, row.meaning)
            if row.how != "enrolment" and background.duration_h is None:
                add(f"{name}.duration", row.duration_h, "h", row.meaning)
    for observation in study.observations:
        if observation.time_unknown:
            where = "the last half of the study" if study.kind in EXPERIMENTS else "the study"
            add(f"time of observation {observation.index}", None, "h", f"unknown: even over {where}")
    if any(arm.size is None and arm.ratio is None for arm in study.arms):
        add("arm.size", *_unknown("size", habits_of(study)))
    for arm in study.arms:
        for treatment in arm.treatments:
            if treatment.dose is None:
                add("treatment.dose", *_unknown_dose(treatment.product.type, habits_of(study)))
            if treatment.route == UNKNOWN:
                add("treatment.route", *_unknown("route", habits_of(study)))
            if not treatment.times_h:
                add("treatment.times", *_unknown("times", habits_of(study)))
    for arm in study.arms:
        for treatment in arm.treatments:
            if treatment.product.type in KINDS:
                _product(treatment, add)


def wide_conversions(study: Study) -> list[str]:
    """Tell which doses are converted to what is counted by a factor that hardly is known.

    Arguments:
        study: validated.

    Returns:
        a sentence for each unit of a type of product whose conversion spans more than `WIDE`.
    """
    said = []
    for arm in study.arms:
        for treatment in arm.treatments:
            kind, unit = treatment.product.type, unit_of_dose(treatment)
            found = conversion(kind, unit, treatment.product)
            if found is not None and found[1] > WIDE:
                said.append(
                    f"a dose of {kind} in {unit} is converted to {COUNTED[kind]} by a factor that is hardly "
                    f"known: nine lots in ten lie within a span of {found[1]:.0f} times"
                )
    return list(dict.fromkeys(said))


def unknown_lots(study: Study) -> list[str]:
    """Tell what is not known of the lots of a study that states more of them than a product's first keys.

    Arguments:
        study: validated.
    """
    products = [t.product for arm in study.arms for t in arm.treatments if t.product.type in KINDS]
    told = [line for p in products if any(getattr(p, table) for table in TABLES) for line in unknowns(p)]
    return list(dict.fromkeys(told))


def _of_experiment(study: Study, add: Any) -> None:
    host = host_of(study)
    if WEIGHT not in study.population.baseline:
        add(WEIGHT, host.weight_kg, "kg", f"not stated: an adult {study.species}")
    for arm in study.arms:
        for injury in injuries_of(study, arm):
            disease = read_animal_disease(disease_of_agent()[injury.agent])
            name = f"injury.{injury.agent}"
            if injury.amount is None:
                usual = disease.perfused if study.kind == EX_VIVO else disease.amount
                why = f"not stated: drawn, SD {usual.sd:g} of its logarithm; {usual.source}"
                add(f"{name}.amount", usual.median, usual.unit, why)
            if route_of(disease, injury) != (injury.route or ""):
                add(f"{name}.route", disease.route, "", "not stated: the usual one")
            if disease.length_h and injury.end_h is None:
                add(f"{name}.end", injury.start_h + disease.length_h, "h", "not stated: its usual length")


def _unknown(what: str, kind: str) -> tuple[str, str, str]:
    """Value, unit and reason of what the study says is unknown: the likeliest choice and its source."""
    likeliest = max(unstated(kind)[what], key=lambda choice: choice.share)
    spread = f", SD {likeliest.spread:g} of its logarithm" if likeliest.spread else ""
    return likeliest.choice, "", f"unknown: drawn, {likeliest.share:.0%} this{spread}; {likeliest.source}"


def _unknown_dose(product: str, kind: str) -> tuple[Any, str, str]:
    if product not in unknown_doses():
        return _unknown("dose", kind)
    row = unknown_doses()[product]
    return row.dose, row.unit, f"unknown: drawn, SD {row.spread:g} of its logarithm; {row.source}"


def _product(treatment: Treatment, add: Callable[[str, Any, str, str], None]) -> None:
    product, priors = treatment.product, read_priors()

    def prior(key: str, name: str) -> None:
        row = priors[name]
        add(key, row.value, row.unit, row.source)

    if "source" in product.unstated:
        add("product.source", product.source, "", "not stated: middle of the known sources")
    if product.passage is None and not (product.culture and product.culture.population_doublings is not None):
        row = priors["passage_unstated"]
        add("product.passage", row.value, "passage", row.source)
    if product.cryopreserved is None and product.type in ALIVE:
        add("product.cryopreserved", False, "", "not stated: taken as never frozen")
    if "viability" in product.unstated:
        prior("product.viability", "viability_cryopreserved" if product.cryopreserved else "viability_fresh")
    known = stated_priors(product)
    for name in KINDS[product.type].assumed:
        if name in known:
            continue
        prior(f"product.{name}", name)
    found = conversion(product.type, unit_of_dose(treatment), product)
    if found is not None:
        name, span = found
        row = priors[name]
        add(f"product.{name}", row.value, row.unit, f"{row.source}; nine lots in ten span {span:.0f} times")
    route = None if treatment.route in (None, UNKNOWN) else routes()[treatment.route]
    if route is not None and 0.0 < route.delivered < 1.0:
        add(f"{route.name}.delivered", route.delivered, "fraction", route.source)
    if route is not None and 0.0 < route.absorbed < 1.0 and product.type in WITHOUT_CELLS:
        add(f"{route.name}.absorbed", route.absorbed, "fraction", route.source)
    if route is not None and not route.airway and product.type in WITHOUT_CELLS:
        prior("product.soluble_from_blood", "soluble_from_blood")
    if route is not None and route.name in MIST and product.type in ALIVE:
        prior("product.nebulised_viability", "nebulised_viability")
    if treatment.infusion_h is None:
        prior("treatment.infusion", "infusion_unstated")
