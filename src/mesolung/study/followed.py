"""What treatments need to know of the subjects that they are given to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mesolung.trial.potential import Enrolled


class Followed(Protocol):
    """Subjects at the start of the arms, enrolled from a library or made by an experiment."""

    @property
    def enrolled(self) -> Enrolled:
        """S x M subjects, replicate after replicate."""
        ...

    @property
    def covariates(self) -> Mapping[str, NDArray[np.float64]]:
        """Their traits, name -> float64[S x M]; ``weight`` in kg."""
        ...
