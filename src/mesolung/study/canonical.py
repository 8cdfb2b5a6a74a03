"""The canonical form of a study: equal studies give equal text, however their files are written."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

from mesolung.product.product import GAINED as PRODUCT_GAINED
from mesolung.study.study import Study

SIGNIFICANT_DIGITS = 12


# What the format gained later, left out where it is not used: a study that does not use it keeps its hash.
GAINED = (
    "injury",
    "has_own_injury",
    "assay",
    "include",
    "responder",
    "name",
    "dose_unit",
    "dropout",
    *PRODUCT_GAINED,
)


def canonical(study: Study) -> dict[str, Any]:
    """Put a study and its products into the form of which runs keep the hash.

    Arguments:
        study: validated.

    Returns:
        plain dicts, lists, texts and numbers: keys sorted, base units, numbers to 12 significant digits, arms
        by name, observations in an order of their own; file, line and arm order have no part in it, nor has
        what the format gained later where it is not used.
    """
    form = _plain(study.model_dump(mode="json"))
    for arm, written in zip(study.arms, form["arms"], strict=True):
        for treatment, part in zip(arm.treatments, written["treatments"], strict=True):
            # What is not stated comes from a prior, so it differs from the same value stated.
            part["product"].update(dict.fromkeys(treatment.product.unstated))
    form["arms"] = {arm.pop("name"): arm for arm in form["arms"]}
    for observation in form["observations"]:
        del observation["index"], observation["unit"]  # the numbers are in base units
        observation["arm"].sort()
    form["observations"].sort(key=_text)
    return json.loads(_text(form))


def inputs_sha256(study: Study) -> str:
    """Identify a study by what it says.

    Arguments:
        study: validated.

    Returns:
        64 hexadecimal digits.
    """
    return sha256(_text(canonical(study)).encode()).hexdigest()


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(v) for key, v in value.items() if v or key not in GAINED}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    # One quantity in two units differs in its last digits; a whole number may be written as a float.
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(f"{value:.{SIGNIFICANT_DIGITS}g}") + 0.0
    return value
