"""A posterior that a user names, as `mesolung update` makes."""

from __future__ import annotations

from pathlib import Path

from mesolung.population.posterior import DRAWS, MANIFEST, Posterior, read_posterior
from mesolung.reading import Refusal


def posterior_in(folder: Path | None) -> Posterior | None:
    """Read a posterior that a user names.

    Arguments:
        folder: of it; None for none.

    Returns:
        the posterior; None where no folder is named.

    Raises:
        Refusal: as `read_posterior`, for a folder that holds none, and for one of other tables.
    """
    if folder is None:
        return None
    found = read_posterior(folder)
    if found is None:
        raise Refusal("holds no posterior", file=folder, allowed=f"a folder with {MANIFEST} and {DRAWS}")
    if why := found.matches():
        raise Refusal(f"the posterior {why}", file=folder, found=found.id, allowed="one of this version")
    return found
