"""An experiment run: animals or perfused lungs from rest, injured and treated, under every arm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.animal_disease import disease_of_agent, read_animal_disease
from mesolung.biology.cross_reactivity import cross_reactivity
from mesolung.biology.species import HUMAN, Change
from mesolung.engine import ADD_PARAMETER, ADD_STATE, EventTable
from mesolung.population.events import joined
from mesolung.product.product import OF_CELLS, WITHOUT_CELLS
from mesolung.streams import uniforms
from mesolung.study.animal_injury import injure
from mesolung.study.animal_modelled import injuries_of
from mesolung.study.animals import Animals, changed, host_of, make_animals
from mesolung.study.arm import Arm
from mesolung.study.asked import UNKNOWN_TIME_H, outputs_asked
from mesolung.study.replicates import ArmTrials
from mesolung.study.setting import Setting
from mesolung.study.simulating import Trials, allocated, followed, table_of
from mesolung.study.solving import AFTER_DOSE_H, Given, give
from mesolung.study.study import Study
from mesolung.study.ways import habits_of
from mesolung.trial.potential import ArmCourses, Enrolled, solve_arm

# Shown in every report of an experiment, whatever it asks for.
SHOWN_OF_EXPERIMENT = ("bal_neutrophil_count", "bal_protein", "bal_il6", "evlw", "viable_cells_lung")
NEEDED = ("MSC_licensed",)
# Outputs every two hours on the first two days, when injuries are made, then every six, later daily.
EVERY_H = ((2.0, 48.0), (6.0, 168.0))
BEFORE_EVERY_H = 6.0
# An animal gets its dose by a slow injection, not over half an hour, unless the study says otherwise.
BOLUS_H = 5.0 / 60.0
# An animal is killed once: what is read at a time that nobody told is read in this last part of the study.
LAST_PART = 0.5


def simulate_experiment(
    setting: Setting,
    off: Mapping[str, Sequence[str]] | None = None,
    done: Mapping[tuple[str, str], ArmCourses] | None = None,
) -> tuple[Trials, Animals]:
    """Solve, allocate and follow the subjects of all replicates of an experiment.

    Arguments:
        setting: of the run; no library and no diseases of patients are needed.
        off: arm -> parameters that are 0 in it: mechanisms switched off.
        done: courses that need not be solved again, by arm and table 1.

    Returns:
        the replicate trials, times since the study's origin, and the subjects at rest. Every subject
        is solved under every arm with the same parameters and size and, where arms share one, the same
        injury.
    """
    study, model = setting.study, setting.model
    animals = make_animals(setting)
    start = first_moment(study)
    names = tuple(
        dict.fromkeys(
            n
            for n in (*SHOWN_OF_EXPERIMENT, *NEEDED, *outputs_asked(study))
            if n in model.states or n in model.observables
        )
    )
    solved: dict[tuple[str, str], ArmCourses] = {}
    given: dict[str, Given] = {}
    arms = sorted(study.arms, key=lambda arm: arm.name)
    for place, arm in enumerate(arms):
        hurt = injure(setting, animals, injuries_of(study, arm), -start)
        own = replace(animals, enrolled=_with_changes(setting, animals, hurt.changes))
        what = _scaled(
            give(
                model,
                _at_once(arm),
                own,
                key=setting.draws.key,
                draw_of_slot=setting.draw_of_slot,
                subjects=setting.subjects,
                seed=setting.seed,
                duration_h=study.duration_h,
                typical=setting.draws.values,
                laboratory=setting.draws.laboratory,
                unstated_of=habits_of(study),
                before_h=-start,
            ),
            animals.size,
        )
        nought = np.zeros(animals.size.size)
        switched = dict.fromkeys((off or {}).get(arm.name, ()), nought)
        what = replace(what, parameters={**what.parameters, **_sensed(setting, animals, arm), **switched})
        given[arm.name] = what
        if done is not None and (arm.name, table_of(study, arm)) in done:
            solved[arm.name, table_of(study, arm)] = done[arm.name, table_of(study, arm)]
            continue
        times = output_times_of_experiment(start, study.duration_h, what.ends_h)
        events = joined([hurt.events, what.events])
        courses = solve_arm(
            model,
            own.enrolled,
            times_h=times - start,
            outputs=names,
            parameters=what.parameters,
            events=events,
            same=np.arange(animals.size.size),
            workers=setting.workers,
            chunk=setting.chunk,
            progress=lambda k, n, d=place: setting.progress("arms", d * n + k, len(arms) * n),
        )
        solved[arm.name, table_of(study, arm)] = replace(courses, times=times)
    outcomes = followed(setting, solved)
    members = allocated(setting)
    u = [uniforms(setting.seed, "unknown time", s, 1)[0] for s in range(setting.slots)]
    traits = {
        **animals.covariates,
        UNKNOWN_TIME_H: np.repeat(study.duration_h * (1.0 - LAST_PART * np.array(u)), setting.subjects),
    }
    trials = {}
    for arm in study.arms:
        own = outcomes[arm.name, table_of(study, arm)]
        trials[arm.name] = ArmTrials(
            arm.name,
            own,
            setting.slots,
            members[arm.name],
            setting.scored,
            own,
            setting.panel,
            traits,
            traits,
        )
    failures = {arm.name: solved[arm.name, table_of(study, arm)].failures for arm in study.arms}
    total = sum(len(o.death_uniform) for o in outcomes.values())
    return Trials(trials, given, failures, total, solved), animals


def rests_on(study: Study) -> dict[str, str]:
    """The texts of the package that an experiment rests on beside the model.

    Arguments:
        study: of kind animal or ex-vivo.

    Returns:
        what each is -> its SHA-256: the species, and the injuries of its arms.
    """
    host = host_of(study)
    agents = {injury.agent for arm in study.arms for injury in injuries_of(study, arm)}
    names = sorted(disease_of_agent()[agent] for agent in agents if agent in disease_of_agent())
    return {host.label: host.hash, **{name: read_animal_disease(name).hash for name in names}}


def first_moment(study: Study) -> float:
    """When the first thing happens to any subject, h since the study's origin; at most 0.

    Arguments:
        study: validated.
    """
    moments = [0.0]
    for arm in study.arms:
        moments += [injury.start_h for injury in injuries_of(study, arm)]
        moments += [time for treatment in arm.treatments for time in treatment.times_h]
        moments += [line.start_h for line in arm.background.values()]
    return min(moments)


def output_times_of_experiment(
    start_h: float, duration_h: float, ends_h: tuple[float, ...]
) -> NDArray[np.float64]:
    """When the courses of an arm of an experiment are kept.

    Arguments:
        start_h: first moment, at most 0.
        duration_h: end of the study.
        ends_h: ends of administrations.

    Returns:
        float64[T], increasing, hours since the study's origin; the first is the start, at rest.
    """
    parts = [[*np.arange(start_h, 0.0, BEFORE_EVERY_H), 0.0, duration_h], [t + AFTER_DOSE_H for t in ends_h]]
    since = 0.0
    for every, until in EVERY_H:
        parts.append(list(np.arange(since, until, every)))
        since = until
    parts.append(list(np.arange(since, duration_h, 24.0)))
    times = np.unique(np.concatenate([np.asarray(part, dtype=np.float64) for part in parts]))
    return times[(times >= start_h) & (times <= duration_h)]


def _with_changes(setting: Setting, animals: Animals, changes: tuple[Change, ...]) -> Enrolled:
    """The subjects with the parameters of the agents that injure them; at rest they change nothing."""
    if not changes:
        return animals.enrolled
    rows = animals.enrolled.parameters.copy()
    columns = {c.id: setting.model.parameters.index(c.id) for c in changes}
    new = changed({name: rows[:, k] for name, k in columns.items()}, changes, animals.host)
    for name, k in columns.items():
        rows[:, k] = new[name]
    return replace(animals.enrolled, parameters=rows)


def _at_once(arm: Arm) -> Arm:
    treatments = tuple(
        t if t.infusion_h is not None else t.model_copy(update={"infusion_h": BOLUS_H})
        for t in arm.treatments
    )
    return arm.model_copy(update={"treatments": treatments})


def _scaled(given: Given, size: NDArray[np.float64]) -> Given:
    """The doses at the human's size; switches stay as they are."""
    events = given.events
    amount = np.isin(events.kind, (ADD_STATE, ADD_PARAMETER))
    value = np.where(amount, events.value * size[events.subject], events.value)
    return replace(given, events=EventTable(events.subject, events.time, events.kind, events.target, value))


def _sensed(setting: Setting, animals: Animals, arm: Arm) -> Mapping[str, NDArray[np.float64]]:
    """What the given cells sense of their host, as far as the model has parameters for it."""
    products = [t.product for t in arm.treatments if t.product.type in (*OF_CELLS, *WITHOUT_CELLS)]
    if not products:
        return {}
    donor = products[0].species or HUMAN
    found = cross_reactivity(donor, setting.study.species)
    n = animals.size.size
    return {name: np.full(n, value) for name, value in found.items() if name in setting.model.parameters}
