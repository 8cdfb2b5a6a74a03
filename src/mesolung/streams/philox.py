"""Counter-based random streams: a number depends on its key and place, never on who asked first."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri


def uniforms(key: int | str, purpose: str, replicate: int, count: int, start: int = 0) -> NDArray[np.float64]:
    """Draw uniform numbers on (0, 1) that are addressed by their place in a named stream.

    Arguments:
        key: the study's seed (whole number) or a posterior's hash (text).
        purpose: what the numbers decide, such as ``"enrol"``; each purpose is a stream of its own.
        replicate: number of the replicate trial or of the parameter draw.
        count: how many numbers, for index ``start`` to ``start + count - 1``.
        start: first index (subject, lot, course or site).

    Returns:
        float64[count]; number i depends on (key, purpose, replicate, start + i) alone, so that asking
        for more of them, or for another stream, changes none.

    Raises:
        ValueError: for a negative count or start.

    Source: Philox 4x64-10, Salmon et al. 2011, doi 10.1145/2063384.2063405, as NumPy implements it.
    """
    if count < 0 or start < 0:
        raise ValueError("count and start must not be negative")
    digest = blake2b(f"{type(key).__name__}|{key}|{purpose}|{replicate}".encode(), digest_size=16).digest()
    philox = np.random.Philox(key=np.frombuffer(digest, dtype="<u8"))
    # Philox gives four 64-bit words a counter step, and `advance` moves in counter steps.
    philox.advance(start // 4)
    words = philox.random_raw(count + start % 4)[start % 4 :]
    # The middle of each of 2^53 cells: never 0 or 1, so that every inverse distribution is finite.
    return ((words >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53


def normals(key: int | str, purpose: str, replicate: int, count: int, start: int = 0) -> NDArray[np.float64]:
    """Draw standard normal numbers, each the inverse distribution of the uniform at its place.

    Arguments and errors: as `uniforms`.

    Returns:
        float64[count], increasing in the uniforms, so that common uniforms stay common.
    """
    return ndtri(uniforms(key, purpose, replicate, count, start))
