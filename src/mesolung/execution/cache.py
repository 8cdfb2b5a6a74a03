"""Where what is kept between runs lies: one folder for the user, with a part for each thing kept."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

VARIABLE = "MESOLUNG_CACHE"


def cache_folder(name: str) -> Path:
    """Name the folder in which one kind of thing is kept.

    Arguments:
        name: what is kept, "kernels" or "libraries" for instance.

    Returns:
        ``$MESOLUNG_CACHE/name`` where that variable is set and not empty, else ``name`` in the folder that
        the system has for what a user's programs keep. The folder may not exist yet.
    """
    chosen = os.environ.get(VARIABLE)
    base = Path(chosen) if chosen else Path(platformdirs.user_cache_dir("mesolung", appauthor=False))
    return base / name
