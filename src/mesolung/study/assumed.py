"""Inputs that a study does not state, with what stands in for them."""

from __future__ import annotations

from typing import Any

from mesolung.biology.disease import read_disease
from mesolung.biology.tables import backgrounds
from mesolung.product.priors import read_priors
from mesolung.product.unstated import unstated
from mesolung.study.arm import UNKNOWN
from mesolung.study.study import Study


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
    for arm in study.arms:
        for name, background in arm.background.items():
            row = backgrounds()[name]
            if row.how == "dose" and background.dose is None:
                add(f"{name}.dose", row.dose, row.unit, row.meaning)
            if row.how != "enrolment" and background.duration_h is None:
                add(f"{name}.duration", row.duration_h, "h", row.meaning)
    for observation in study.observations:
        if observation.time_unknown:
            add(f"time of observation {observation.index}", None, "h", "unknown: even over the study")
    if any(arm.size is None and arm.ratio is None for arm in study.arms):
        add("arm.size", *_unknown("size"))
    for arm in study.arms:
        for treatment in arm.treatments:
            if treatment.dose is None:
                add("treatment.dose", *_unknown("dose"))
            if treatment.route == UNKNOWN:
                add("treatment.route", *_unknown("route"))
            if not treatment.times_h:
                add("treatment.times", *_unknown("times"))
    priors = read_priors()
    for arm in study.arms:
        for treatment in arm.treatments:
            if treatment.product.type == "cells":
                _product(treatment, priors, add)
    return [lines[name] for name in sorted(lines)]


def _unknown(what: str) -> tuple[str, str, str]:
    """Value, unit and reason of what the study says is unknown: the likeliest choice and its source."""
    likeliest = max(unstated()[what], key=lambda choice: choice.share)
    spread = f", SD {likeliest.spread:g} of its logarithm" if likeliest.spread else ""
    return likeliest.choice, "", f"unknown: drawn, {likeliest.share:.0%} this{spread}; {likeliest.source}"


def _product(treatment: Any, priors: Any, add: Any) -> None:
    product = treatment.product
    if "source" in product.unstated:
        add("product.source", product.source, "", "not stated: middle of the known sources")
    if product.passage is None:
        row = priors["passage_unstated"]
        add("product.passage", row.value, "passage", row.source)
    if product.cryopreserved is None:
        add("product.cryopreserved", False, "", "not stated: taken as never frozen")
    if product.viability is None:
        row = priors["viability_cryopreserved" if product.cryopreserved else "viability_fresh"]
        add("product.viability", row.value, row.unit, row.source)
    for name in ("hold_time", "complement_lysis", "apoptotic_share"):
        row = priors[name]
        add(f"product.{name}", row.value, row.unit, row.source)
    if treatment.infusion_h is None:
        row = priors["infusion_unstated"]
        add("treatment.infusion", row.value, row.unit, row.source)
