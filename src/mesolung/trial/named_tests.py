"""Which test an endpoint is analysed with."""

from __future__ import annotations

import numpy as np

from mesolung.trial.endpoints import EndpointRow
from mesolung.trial.negative_binomial import negative_binomial_test
from mesolung.trial.outcomes import Floats
from mesolung.trial.two_samples import Verdict, fisher, mann_whitney, welch

TESTS = ("fisher", "welch", "negative-binomial", "log-rank", "mann-whitney")
TEST_OF_TYPE = {
    "binary": "fisher",
    "continuous": "welch",
    "count": "negative-binomial",
    "rate": "negative-binomial",
    "time": "log-rank",
}
TEST_OF_MEASURE = {"hazard_ratio": "log-rank", "win_ratio": "mann-whitney"}
ALIASES = {
    "fisher-exact": "fisher",
    "welch-t": "welch",
    "t": "welch",
    "logrank": "log-rank",
    "wilcoxon": "mann-whitney",
    "rank-sum": "mann-whitney",
}


def canonical_test(name: str) -> str:
    """The name of a test as `TESTS` spells it, from any of hyphen, underscore or blank, or a second name.

    Raises:
        ValueError: an unknown test.
    """
    plain = name.lower().replace("_", "-").replace(" ", "-")
    found = ALIASES.get(plain, plain)
    if found not in TESTS:
        raise ValueError(f"test {name!r}: expected one of {', '.join(TESTS)}")
    return found


def default_test(row: EndpointRow, measure: str = "none", as_: str = "level") -> str:
    """The test of an endpoint when the study names none.

    Args:
        row: the endpoint; its table may name a test, otherwise its type decides.
        measure: a hazard ratio is tested by log-rank and a win ratio by Mann-Whitney, whatever the endpoint.
        as_: a change of a count can be negative and is tested as a continuous value.

    Raises:
        ValueError: an unknown type or test in the table.
    """
    if measure in TEST_OF_MEASURE:
        return TEST_OF_MEASURE[measure]
    if as_ != "level" and row.type in ("count", "rate"):
        return "welch"
    if row.test:
        return canonical_test(row.test)
    if row.type not in TEST_OF_TYPE:
        raise ValueError(f"{row.name}: type {row.type!r}, expected one of {', '.join(TEST_OF_TYPE)}")
    return TEST_OF_TYPE[row.type]


def compare(name: str, first: Floats, second: Floats) -> Verdict:
    """Runs a test of `TESTS` on two arms' values (not log-rank, which needs follow-up).

    Args:
        name: canonical name.
        first, second: float64[a], float64[b], without nan.

    Raises:
        ValueError: values that the test cannot have.
    """
    if name == "fisher":
        return fisher(binary(first), binary(second))
    if name == "welch":
        return welch(first, second)
    if name == "mann-whitney":
        return mann_whitney(first, second)
    if name != "negative-binomial":
        raise ValueError(f"{name} does not compare plain values")
    if np.any(first < 0) or np.any(second < 0):
        raise ValueError("the negative binomial test is of counts, but a value is negative")
    # Cross-multiplied, the means of whole numbers are compared exactly.
    excess = first.sum() * second.size - second.sum() * first.size
    return Verdict(negative_binomial_test(first, second), int(np.sign(excess)))


def binary(values: Floats) -> Floats:
    """The values, which must all be 0 or 1; ValueError otherwise."""
    if np.any((values != 0) & (values != 1)):
        raise ValueError("Fisher's test and risk measures are of 0/1 values")
    return values
