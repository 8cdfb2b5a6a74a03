"""A posterior of a stage or two that says it is whole, so that runs take it."""

from __future__ import annotations

import json
from pathlib import Path

from mesolung.population.posterior import MANIFEST, OPEN, Posterior, read_posterior


def said_to_be_whole(folder: Path) -> Posterior:
    """Take the open stages out of a stored posterior's manifest.

    Arguments:
        folder: of the posterior.

    Returns:
        what is stored then.
    """
    path = folder / MANIFEST
    manifest = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**manifest, OPEN: []}), encoding="utf-8")
    found = read_posterior(folder)
    assert found is not None
    return found
