"""Allocation of subjects to arms."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray


def randomise(uniforms: ArrayLike, sizes: Mapping[str, int]) -> NDArray[np.intp]:
    """Permuted allocation with fixed arm sizes, the same whatever order the arms are listed in.

    Subjects are ranked by their uniform numbers; the arms, in the order of their names, take the ranks in
    turn. Every allocation with the given sizes is equally likely.

    Args:
        uniforms: float64[..., n], one number per subject; leading axes are separate trials.
        sizes: arm name -> number of subjects, in any order; they add up to n.

    Returns:
        int[..., n], for each subject the index of its arm in the order of `sizes`.

    Raises:
        ValueError: sizes that are negative or do not add up, or a uniform that is nan.
    """
    numbers = np.asarray(uniforms, dtype=np.float64)
    counts = list(sizes.values())
    if min(counts, default=0) < 0 or sum(counts) != numbers.shape[-1]:
        raise ValueError(f"arm sizes {dict(sizes)} do not add up to {numbers.shape[-1]} subjects")
    if np.isnan(numbers).any():
        raise ValueError("a subject's uniform number is nan")
    position = {name: index for index, name in enumerate(sizes)}
    names = sorted(sizes)
    indices = np.array([position[name] for name in names], dtype=np.intp)
    by_rank = np.repeat(indices, [sizes[name] for name in names])
    order = np.argsort(numbers, axis=-1, kind="stable")
    arms = np.empty(numbers.shape, dtype=np.intp)
    np.put_along_axis(arms, order, np.broadcast_to(by_rank, numbers.shape), axis=-1)
    return arms
