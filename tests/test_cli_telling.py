"""Commands tell what they found in one way: JSON alone, or a table and the file to open."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.text import Text

from mesolung.cli.telling import status_of, tell

KEPT = Path("a folder") / "page.html"


def test_json_stands_alone_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    tell({"a": 1}, lambda: pytest.fail("no table is made"), KEPT, as_json=True, width=80)
    said = capsys.readouterr()
    assert json.loads(said.out) == {"a": 1}
    assert said.err == f"report: {KEPT}\n"


def test_a_table_is_followed_by_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    tell({}, lambda: Text("what was found"), KEPT, as_json=False, width=80, what="card")
    said = capsys.readouterr()
    assert said.out.splitlines() == ["what was found", f"card: {KEPT}"]
    assert not said.err


@pytest.mark.parametrize(("failed", "status"), [(0, 0), (1, 0), (2, 1)])
def test_one_subject_in_a_thousand_may_not_fail(failed: int, status: int) -> None:
    assert status_of(failed, 1001) == status
