"""Why an observation that is answered stands in no score."""

from __future__ import annotations

from mesolung.study.basis import error_of
from mesolung.study.observation import Observation
from mesolung.study.scores import Score
from mesolung.trial.contrasts import is_ratio

NOT_SCORED = "not scored"
IMPOSSIBLE = "impossible"
NO_DRAW = "no parameter draw allows it: its log score is minus infinity"


def status_of(one: Observation, score: Score) -> dict[str, str]:
    """Tell what a result says beside a score that is missing, or is no number.

    Arguments:
        one: the observation.
        score: its answer.

    Returns:
        ``status`` and ``reason``; nothing for an observation that is scored.
    """
    if reason := why_not_scored(one, score):
        return {"status": NOT_SCORED, "reason": reason}
    if score.log_score == float("-inf"):
        return {"status": IMPOSSIBLE, "reason": NO_DRAW}
    return {}


def why_not_scored(one: Observation, score: Score) -> str | None:
    """Tell why an observation has no log score.

    Arguments:
        one: the observation.
        score: its answer.

    Returns:
        the reason; None where it has one.
    """
    if score.log_score is not None:
        return None
    if one.form == "value":
        return "a bare number, printed without n or spread"
    if one.form in ("mean", "contrast") and error_of(one) is None:
        return _without_error(one)
    return "nobody in the simulated trials has it"


def _without_error(one: Observation) -> str:
    """Why what was printed gives no standard error."""
    if one.form == "mean":
        return "a mean whose spread is 0"
    ratio = is_ratio(str(one.contrast))
    if ratio and (one.value or 0.0) <= 0.0:
        return "a ratio of 0 has no logarithm"
    if one.ci95 is not None:
        if ratio and min(one.ci95) <= 0.0:
            return "an interval of a ratio that touches 0 has no width on the scale of its logarithm"
        return "an interval without width"
    if one.p is None:
        return "a comparison printed without an interval or p"
    if not 0.0 < one.p < 1.0:
        return "a p of 0 or 1 tells no standard error"
    return "a comparison of no difference at all tells no standard error by its p"
