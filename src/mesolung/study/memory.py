"""What several studies have in common is solved once: the latest results, by what they follow from."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, TypeVar

import numpy as np

from mesolung.engine import EventTable

Made = TypeVar("Made")
KEPT = 6  # of about 50 MB each
EVENT_COLUMNS = ("subject", "time", "kind", "target", "value")


@dataclass(frozen=True)
class Memory:
    """The latest results of some calculations that are the same whenever their inputs are.

    Attributes:
        found: what was made, by its key, the latest last.
    """

    found: OrderedDict[bytes, Any] = field(default_factory=OrderedDict)

    def of(self, inputs: Iterable[Any], make: Callable[[], Made]) -> Made:
        """Give what was made of equal inputs before, or make it.

        Arguments:
            inputs: all that the result depends on and that differs between the studies of one validation:
                arrays, event tables, and what tells itself apart by its `repr`.
            make: gives the result.

        Returns:
            the result; whoever shares it must not write to it.
        """
        key = _key(inputs)
        if key not in self.found:
            self.found[key] = make()
            while len(self.found) > KEPT:
                self.found.popitem(last=False)
        self.found.move_to_end(key)
        return self.found[key]


def _key(inputs: Iterable[Any]) -> bytes:
    digest = blake2b(digest_size=16)
    for one in inputs:
        parts = [getattr(one, c) for c in EVENT_COLUMNS] if isinstance(one, EventTable) else [one]
        for part in parts:
            if isinstance(part, np.ndarray):
                digest.update(f"{part.dtype}{part.shape}".encode())
                digest.update(part.tobytes())
            else:
                digest.update(repr(part).encode())
            digest.update(b"|")
    return digest.digest()
