"""Which data and model each stage has."""

from __future__ import annotations

from mesolung.calibration.posterior.forward import Forward, Weighing
from mesolung.calibration.posterior.forward_chronic import Chronic
from mesolung.calibration.posterior.forward_drugs import Drugs
from mesolung.calibration.posterior.forward_experiments import Carriers, Fate
from mesolung.calibration.posterior.forward_human import Human
from mesolung.calibration.posterior.forward_ladder import Cohorts, Endotoxin, Turnover
from mesolung.calibration.posterior.stages import Stage
from mesolung.engine import CompiledModel

VIRUS_STEP, USUAL_CARE_STEP = 3, 4


def forward_of(stage: Stage, model: CompiledModel) -> Forward | Weighing:
    """A stage's data and the model of them.

    Arguments:
        stage: of the table.
        model: the compiled biology.

    Raises:
        KeyError: for a stage of the table that no model is written for.
    """
    if stage.group == "chronic":
        return Chronic(stage.name)
    makers = {
        "turnover": Turnover,
        "endotoxin": lambda: Endotoxin(model),
        "virus": lambda: Cohorts(VIRUS_STEP, stage.name),
        "usual-care": lambda: Cohorts(USUAL_CARE_STEP, stage.name),
        "drugs": Drugs,
        "fate": Fate,
        "carriers": lambda: Carriers(stage.discrepancy),
        "human": lambda: Human(stage.discrepancy),
    }
    return makers[stage.name]()
