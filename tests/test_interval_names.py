"""Rows of a figure of intervals bear their whole names, so that no two of them look the same."""

from __future__ import annotations

from mesolung.report.intervals import forest_layout, row_labels

ARMS = "viable + viable without EV + viable without PGE2 + viable without IL1RA + apoptotic"
NAMES = (f"{ARMS} + secretome: deaths <28 d, 12 an arm", f"{ARMS} + secretome: deaths <28 d, 24 an arm")


def test_names_that_differ_at_their_end_are_told_apart() -> None:
    first, second = (label["text"] for label in row_labels(NAMES))
    assert first != second
    told = first.replace("<b>", "").replace("</b>", "").replace("<br>", " ")
    assert told == NAMES[0].replace("<", "&lt;")


def test_rows_are_as_high_as_the_longest_name_needs() -> None:
    _, short = forest_layout("x", ["a", "b"], [1.0], log=False)
    _, long = forest_layout("x", NAMES, [1.0], log=False)
    lines = row_labels(NAMES)[0]["text"].count("<br>") + 1
    assert lines > 2 and long - short >= 2 * 16 * (lines - 1)
