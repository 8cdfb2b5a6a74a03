"""Options that several commands of calibration share."""

from __future__ import annotations

import argparse


def at_least_one(text: str) -> int:
    """Read a whole number from 1 on.

    Arguments:
        text: what was written for an option.

    Returns:
        the number.

    Raises:
        argparse.ArgumentTypeError: for anything else, which the parser tells with the option's name.
    """
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"found {text}, allowed: a whole number from 1 on")
    return value
