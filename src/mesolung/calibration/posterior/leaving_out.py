"""The human effect as it would have been learnt without one trial: from what is stored, nothing run again."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.parameters import read_parameters
from mesolung.calibration.posterior.forward_human import HUMAN_EFFECT, SIZES
from mesolung.calibration.posterior.sizing import TRIALS, sizes_given, together
from mesolung.calibration.posterior.store import read_store
from mesolung.population.posterior import folder_of_posterior
from mesolung.reading import Refusal
from mesolung.streams import uniforms

Values = NDArray[np.float64]
STAGE = "human"


def trials_of(folder: Path | None = None) -> dict[str, Values]:
    """How likely each human trial is under each member and size of the human effect.

    Arguments:
        folder: of a posterior; None for the package's own.

    Returns:
        trial -> float64[sizes, n], natural log, as `mesolung.calibration.posterior.forward_human.SIZES`.

    Raises:
        Refusal: where the stage of human trials is not done.
    """
    place = folder or folder_of_posterior()
    stored = read_store(place)
    if STAGE not in stored.records:
        raise Refusal(
            "the stage of human trials is not done", file=place, allowed=f"mesolung calibrate --stage {STAGE}"
        )
    rows = list(csv.reader(io.StringIO(stored.files[STAGE][TRIALS])))[1:]
    found: dict[str, Values] = {}
    for start in range(0, len(rows), len(SIZES)):
        block = rows[start : start + len(SIZES)]
        found[block[0][0]] = np.array([[float(v) for v in row[2:]] for row in block])
    return found


def human_effect_without(trial: str, folder: Path | None = None) -> Values:
    """The human effect as all other trials leave it.

    Arguments:
        trial: registry number, else its study's name, as the stage's records have it.
        folder: of a posterior; None for the package's own.

    Returns:
        float64[n], in the row's unit, a draw of the posterior each; the stored draws for a trial that nothing
        was learnt from. The same random numbers are used, so that leaving nothing out gives what is stored.

    Raises:
        Refusal: where the stage of human trials is not done.
    """
    found = trials_of(folder)
    return _drawn({name: own for name, own in found.items() if name != trial}, found, folder)


def _drawn(used: Mapping[str, Values], all_: Mapping[str, Values], folder: Path | None) -> Values:
    record = read_store(folder or folder_of_posterior()).records[STAGE]
    count = next(iter(all_.values())).shape[1] if all_ else int(record["draws"])
    u = uniforms(int(record["seed"]), f"calibrate:{STAGE}:size", 0, count)
    return sizes_given(read_parameters()[HUMAN_EFFECT], together(used, count), u)
