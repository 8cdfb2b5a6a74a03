"""The tasks: the bundled acute model with its population, and a small published model of influenza."""

from __future__ import annotations

import antimony
import numpy as np

from benchmarks.task import Task, make_task
from mesolung.biology.assemble import assemble
from mesolung.biology.disease import read_disease
from mesolung.engine import ADD_STATE, CompiledModel, EventTable, compile_model
from mesolung.population.courses import courses_of_draw
from mesolung.population.draws import draw_prior
from mesolung.population.events import joined, same_events, stacked

DAY = 24.0
# Subjects come from so many parameter draws in turn, so that most parameters differ between rows.
DRAWS = 25

# P. Baccam, C. Beauchemin, C. A. Macken, F. G. Hayden, A. S. Perelson, Kinetics of influenza A virus
# infection in humans, Journal of Virology 80 (2006) 7590, doi 10.1128/JVI.01623-05: the model with delayed
# production of virus. Time in days, virus in TCID50/mL of nasal wash. Rates and target cells as two later
# uses of the paper's table give them, which agree; its abstract's delay (6 h), lifetime (11 h), half-life of
# virus (3 h) and reproductive number (22) follow from them. The inoculum is chosen.
INFLUENZA = """
model influenza
  target = 4e8; silent = 0; infected = 0; virus = 7.5e-2;
  beta = 3.2e-5; k = 4.0; delta = 5.2; p = 4.6e-2; c = 5.2;
  target' = -beta*target*virus;
  silent' = beta*target*virus - k*silent;
  infected' = k*silent - delta*infected;
  virus' = p*infected - c*virus;
end
"""


def acute_task(subjects: int = 200) -> Task:
    """The bundled model and the subjects that its population draws.

    Arguments:
        subjects: how many; subject i is the same however many are asked for.

    Returns:
        COVID-19 ARDS from exposure on for 28 days, daily outputs of all states. Each subject has the driver
            events of its own course (an inoculum, admission, the onset and end of organ failure) and a
            treatment: dexamethasone 6 mg daily for ten days from day 6, and 1e8 cells on days 7 and 10.
    """
    sbml = assemble().sbml
    model = compile_model(sbml)
    disease = read_disease("covid19-ards")
    draws = draw_prior(DRAWS, "benchmark")
    each = -(-subjects // DRAWS)
    courses = [courses_of_draw(model, disease, draws, d, each) for d in range(DRAWS)]
    # Draw after draw in turn, so that the first subjects are of different draws, too.
    order = np.arange(DRAWS * each).reshape(DRAWS, each).T.ravel()[:subjects]
    place = np.full(DRAWS * each, -1)
    place[order] = np.arange(subjects)
    drivers = stacked([c.events for c in courses], each)
    moved = place[drivers.subject]
    kept = moved >= 0
    events = EventTable(
        moved[kept], drivers.time[kept], drivers.kind[kept], drivers.target[kept], drivers.value[kept]
    )
    return make_task(
        "acute",
        model,
        sbml,
        np.concatenate([c.parameters for c in courses])[order],
        joined([events, *_treatment(model, subjects)]),
        np.linspace(0.0, 28 * DAY, 29),
        "h",
    )


def _treatment(model: CompiledModel, subjects: int) -> list[EventTable]:
    """Bolus doses, none of them at an output time; amounts differ a little between subjects."""
    rng = np.random.default_rng(2)
    everybody = np.arange(subjects)
    # Drawn subject by subject, so that a subject's amounts do not depend on how many there are.
    size = np.exp(0.1 * rng.standard_normal((subjects, 12)))
    doses = [("DEX", DAY * day + 6.0, 6.0) for day in range(6, 16)]
    doses += [("MSC_blood", DAY * day + 9.0, 0.1) for day in (7, 10)]
    return [
        same_events(ADD_STATE, model.states.index(target), everybody, time, amount * size[:, k])
        for k, (target, time, amount) in enumerate(doses)
    ]


def influenza_task(subjects: int = 200) -> Task:
    """A small published model: Baccam et al. 2006, four states, not very stiff.

    Arguments:
        subjects: how many; subject i is the same however many are asked for.

    Returns:
        ten days with outputs twice a day; every parameter and the first inoculum differ between subjects by
            about 20 %, and a second inoculum follows on the second day.
    """
    antimony.clearPreviousLoads()
    if antimony.loadAntimonyString(INFLUENZA) < 0:
        raise ValueError(antimony.getLastError())
    sbml = str(antimony.getSBMLString(antimony.getMainModuleName()))
    model = compile_model(sbml)
    z = np.random.default_rng(3).standard_normal((subjects, len(model.parameters) + 2))
    n = len(model.parameters)
    rows = model.default_parameters * np.exp(0.2 * z[:, :n])
    initial = model.initial(rows)
    virus = model.states.index("virus")
    initial[:, virus] *= np.exp(0.2 * z[:, n])
    again = same_events(ADD_STATE, virus, np.arange(subjects), 1.3, 0.1 * np.exp(0.2 * z[:, n + 1]))
    return make_task("influenza", model, sbml, rows, again, np.linspace(0.0, 10.0, 21), "d", initial)


TASKS = {"acute": acute_task, "influenza": influenza_task}
