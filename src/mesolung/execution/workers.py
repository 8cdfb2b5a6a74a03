"""How many threads a run may use."""

from __future__ import annotations

import os


def worker_count(asked: int | None = None) -> int:
    """Say how many worker threads to use.

    Arguments:
        asked: the number the user wants; None for one per processor that this process may use.

    Returns:
        A whole number, at least 1. The processors are those of the process's affinity mask where the system
        has one, so that a container or a batch job limited to two processors gets two threads.

    Raises:
        ValueError: when fewer than one is asked for.
    """
    if asked is not None:
        if asked < 1:
            raise ValueError(f"at least one worker is needed, not {asked}")
        return asked
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1
