"""What tests of refusals share: a text with one slip in it, and where the refusal points."""

from __future__ import annotations

from mesolung.reading import Refusal


def changed(text: str, old: str, new: str) -> str:
    """A text with one place changed, which stands in it once."""
    assert text.count(old) == 1, (old, text.count(old))
    return text.replace(old, new)


def points_at(refusal: Refusal, file: object, line: int, problem: str) -> None:
    """Assert that a refusal is one line that begins with file, line and problem."""
    assert str(refusal).startswith(f"{file}:{line}: {problem}"), refusal
    assert "\n" not in str(refusal)
