"""The libraries of the `lab` extra, imported when they are first needed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from mesolung.reading import Refusal


def lab(module: str, purpose: str) -> Any:
    """Import a module of the `lab` extra.

    Arguments:
        module: its dotted name, as "flowutils.transforms".
        purpose: what it is needed for, in words.

    Raises:
        Refusal: where the extra is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise Refusal(
            f"{purpose} needs the lab extra, which is not installed",
            found=str(error),
            allowed="pip install 'mesolung[lab]'",
        ) from None
