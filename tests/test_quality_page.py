"""The page about quality files names every reader, and its example runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import mesolung.product


def test_the_page_names_every_function(root: Path) -> None:
    page = (root / "docs" / "quality-files.md").read_text(encoding="utf-8")
    functions = [name for name in mesolung.product.__all__ if name.islower()]
    assert [name for name in functions if f"`{name}" not in page and name != "logicle"] == []


def test_its_example_runs(root: Path, tmp_path: Path) -> None:
    page = (root / "docs" / "quality-files.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    tool = [sys.executable, str(root / "tools" / "synthetic_lots.py"), "lots", "--events", "1000"]
    subprocess.run(tool, check=True, cwd=tmp_path, capture_output=True)
    done = subprocess.run(
        [sys.executable, "-c", example], check=True, cwd=tmp_path, capture_output=True, text=True
    )
    assert "CD73+" in done.stdout and "viability dye" in done.stdout
