"""Files of the evidence that hold no observation of a study: every row named with the reason."""

from __future__ import annotations

from evidence_ledger import Ledger

PHYSIOLOGY = {
    "cytokine_kinetics": "a rate or half-life of the body: a parameter of the model",
    "lung_structure": "an anatomical number: a parameter of the model",
    "baseline_levels": "a healthy level over several sources: a set point of the model",
    "macrophage_dynamics": "a rate of cells: a parameter of the model",
    "blood_cells": "a number or rate of healthy blood: a parameter of the model",
    "injury_fibrosis": "a rate of injury or repair: a parameter of the model",
    "pathogen": "a rate of growth or clearance: a parameter of the model",
    "physiology": "a healthy function: a parameter of the model",
    "outcome_link": "a link from physiology to outcome: a parameter of the model",
    "msc": "a property of stromal cells: a parameter of the model",
}


def leave_unused(ledger: Ledger) -> None:
    """Name the rows of files that hold parameters, priors, models or targets.

    Arguments:
        ledger: takes the account of the rows.
    """
    for i, row in ledger.rows("physiology.csv"):
        reason = "recalled, not seen" if row["status"] == "memory" else PHYSIOLOGY[row["group"]]
        ledger.leave("physiology.csv", i, f"{row['group']} | {row['quantity']}", reason)
    for i, row in ledger.rows("product-priors.csv"):
        reason = "a prior proposed by judgement, not an observation"
        ledger.leave("product-priors.csv", i, f"{row['module']} | {row['symbol']}", reason)
    for i, row in ledger.rows("published-msc-models.csv"):
        ledger.leave("published-msc-models.csv", i, row["id"], "a published model, not an observation")
    for i, row in ledger.rows("targets-chronic.csv"):
        reason = "a digest of rows of natural-history-chronic.csv: counts them again"
        ledger.leave("targets-chronic.csv", i, f"{row['disease']} | {row['quantity']}", reason)
