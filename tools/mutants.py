"""Break the code on purpose: each break of a list must make the test it names fail.

A list is TOML: `[[mutant]]` with `name`, `file`, `old` (text that stands once in the file), `new`, and `test`
(what pytest is given). The tree is copied to a temporary folder and nothing else is changed. Before anything
is broken, every named test must pass there; a mutant counts as killed only when pytest then reports a failed
test, not when it cannot start.

Usage: python tools/mutants.py LIST.toml [--root FOLDER] [--only WORD]
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOT_COPIED = shutil.ignore_patterns(
    ".git", ".venv", "runs", "build", "dist", "__pycache__", ".*_cache", ".hypothesis"
)
SECONDS = 900
PASSED, TESTS_FAILED = 0, 1


@dataclass(frozen=True)
class Mutant:
    """One deliberate break.

    Attributes:
        name: what is broken, in words.
        file: path from the root.
        old: text that stands exactly once in the file.
        new: what takes its place.
        test: the test that must notice, as pytest is given it.
    """

    name: str
    file: str
    old: str
    new: str
    test: str


def read_mutants(path: Path) -> list[Mutant]:
    """Read a list of mutants.

    Arguments:
        path: a TOML file.

    Returns:
        the mutants in the file's order.

    Raises:
        TypeError: when a mutant lacks a key or has an unknown one.
    """
    return [Mutant(**row) for row in tomllib.loads(path.read_text(encoding="utf-8"))["mutant"]]


def passes(tree: Path, test: str) -> int:
    """Run one test in a copy of the tree.

    Arguments:
        tree: the copy's root.
        test: a file or node id.

    Returns:
        pytest's exit status; `TESTS_FAILED` also where the test runs longer than 15 minutes.
    """
    shared = os.environ.get("MESOLUNG_SHARED", str(ROOT.parent / "shared"))
    # Byte code is told from its source by size and second, and a mutant can keep both.
    environment = os.environ | {
        "PYTHONPATH": str(tree / "src"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "MESOLUNG_SHARED": shared,
    }
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", test]
    try:
        done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return TESTS_FAILED
    return done.returncode


def outcome(tree: Path, mutant: Mutant) -> str:
    """Break the copy, run the named test, and mend the copy.

    Arguments:
        tree: a copy of the tree in which the named test passes.
        mutant: the break.

    Returns:
        "killed", or why not: "survived", "the text stands N times", "pytest could not run".
    """
    path = tree / mutant.file
    whole = path.read_text(encoding="utf-8")
    if whole.count(mutant.old) != 1:
        return f"the text stands {whole.count(mutant.old)} times in {mutant.file}"
    path.write_text(whole.replace(mutant.old, mutant.new), encoding="utf-8")
    try:
        status = passes(tree, mutant.test)
    finally:
        path.write_text(whole, encoding="utf-8")
    return {PASSED: "survived", TESTS_FAILED: "killed"}.get(status, f"pytest could not run ({status})")


def main() -> int:
    """Run a list and print what became of every mutant.

    Returns:
        0 when every mutant was killed, else 1.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("list", type=Path)
    parser.add_argument("--root", type=Path, default=ROOT, help="tree to break a copy of")
    parser.add_argument("--only", default="", help="mutants whose name holds this word")
    asked = parser.parse_args()
    mutants = [mutant for mutant in read_mutants(asked.list) if asked.only in mutant.name]
    killed = survived = 0
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        tree = Path(folder, "tree")
        shutil.copytree(asked.root, tree, ignore=NOT_COPIED)
        sound = {test: passes(tree, test) == PASSED for test in dict.fromkeys(m.test for m in mutants)}
        for mutant in mutants:
            start = time.monotonic()
            became = (
                outcome(tree, mutant) if sound[mutant.test] else "its test fails before anything is broken"
            )
            killed += became == "killed"
            survived += became != "killed"
            print(f"{became}: {mutant.name}; {mutant.test} ({time.monotonic() - start:.0f} s)", flush=True)
    print(f"{killed} killed, {survived} survived")
    return 1 if survived or not killed else 0


if __name__ == "__main__":
    sys.exit(main())
