"""Where a stage has got to: kept after every assimilation, so that a kill costs one at most."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from mesolung.execution import cache_folder
from mesolung.writing import whole_file

Values = NDArray[np.float64]
VALUE, ARRAY, ABOUT = "value:", "array:", "about"


@dataclass(frozen=True, eq=False)
class Point:
    """A stage between two assimilations.

    Attributes:
        done: assimilations so far.
        values: id -> float64[n], the moved parameters.
        arrays: further numbers that the stage goes on with.
        about: further facts, as JSON has them; "seconds" among them.
    """

    done: int
    values: Mapping[str, Values]
    arrays: Mapping[str, Values] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Checkpoints:
    """The points of one stage of one calibration.

    Attributes:
        folder: where they lie; its name holds the stage and all that it rests on.
    """

    folder: Path

    def latest(self) -> Point | None:
        """The point with most assimilations done; None for none that can be read."""
        found = sorted(self.folder.glob("point-*.npz"), reverse=True) if self.folder.is_dir() else []
        for path in found:
            try:
                with np.load(path, allow_pickle=False) as file:
                    about = json.loads(str(file[ABOUT]))
                    values = {k.removeprefix(VALUE): file[k] for k in file.files if k.startswith(VALUE)}
                    arrays = {k.removeprefix(ARRAY): file[k] for k in file.files if k.startswith(ARRAY)}
            except (OSError, ValueError, KeyError, BadZipFile, json.JSONDecodeError):
                continue
            return Point(int(path.stem.removeprefix("point-")), values, arrays, about)
        return None

    def keep(self, point: Point) -> None:
        """Write a point, and forget those before it.

        Arguments:
            point: the latest.
        """
        path = self.folder / f"point-{point.done:03d}.npz"
        path.unlink(missing_ok=True)
        content: dict[str, Any] = {f"{VALUE}{k}": v for k, v in point.values.items()}
        content |= {f"{ARRAY}{k}": v for k, v in point.arrays.items()}
        content[ABOUT] = np.array(json.dumps(point.about))
        with whole_file(path) as place, place.open("wb") as stream:
            np.savez_compressed(stream, **content)
        for other in self.folder.glob("point-*.npz"):
            if other.name < path.name:
                other.unlink(missing_ok=True)

    def forget(self) -> None:
        """Remove all points, once the stage is stored or begins anew."""
        shutil.rmtree(self.folder, ignore_errors=True)


def checkpoints_of(stage: str, identity: str) -> Checkpoints:
    """The points of a stage.

    Arguments:
        stage: its name.
        identity: of all that it rests on; another table, law, seed or number of members has its own points.
    """
    return Checkpoints(cache_folder("calibration") / f"{stage}-{identity[:16]}")
