"""The house: who may import whom, and what no file may hold."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "mesolung"
LONGEST = 400

# A room imports only from floors below its own, or from itself.
FLOORS = {
    "units": 0,
    "streams": 0,
    "reading": 0,
    "writing": 0,
    "execution": 0,
    "engine": 1,
    "biology": 1,
    "cohort": 2,
    "product": 2,
    "population": 2,
    "trial": 3,
    "study": 4,
    "calibration": 5,
    "design": 5,
    "report": 6,
    "studio": 7,
    "cli": 7,
    "__main__": 8,
}

# Rooms and parts that are planned, and are made together with what they do.
NOT_BUILT = ("design", "studio", "engine/cuda", "execution/dask")

# The one error of everything that a user got wrong is for every room, the ground floor's own included.
BESIDE = {("mesolung.reading", "Refusal")}

# What the package says about itself is for every room.
OF_THE_HOUSE = {("mesolung", "__version__")}

FORBIDDEN = {
    "a path of one machine": re.compile(r"/(?:work|home|Users|opt|root)/\w"),
    "a package registry's host": re.compile(
        r"\b(?:pypi\.org|pythonhosted\.org|npmjs\.\w+|conda\.anaconda\.org)"
    ),
    "who or what wrote it": re.compile(r"\b(?:assistant|chatbot|language model|LLM)\b", re.IGNORECASE),
    "work not done": re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b"),
}

MODULES = sorted(PACKAGE.rglob("*.py"))
PUBLIC_TEXT = {
    ".py",
    ".toml",
    ".csv",
    ".ant",
    ".md",
    ".txt",
    ".cff",
    ".yaml",
    ".yml",
    ".html",
    ".css",
    ".js",
    "",
}


def room_of(module: str) -> str | None:
    """The room that a dotted module name lies in; None for the package itself."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else None


def dotted(path: Path) -> str:
    """The dotted name of a module's file."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> Iterator[tuple[int, str, str | None]]:
    """Every import of a file, at any depth: line, module, imported name (None for `import module`)."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name, None
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import hides the floor it reaches"
            for alias in node.names:
                yield node.lineno, node.module or "", alias.name


def wrong_imports(path: Path, importer: str) -> list[str]:
    """Imports of a module that the table of floors does not allow."""
    own = room_of(importer)
    if own is None:
        return []
    wrong = []
    for line, module, name in imports(path):
        if module.split(".")[0] != "mesolung" or (module, name) in BESIDE | OF_THE_HOUSE:
            continue
        target = room_of(module) or (name if name in FLOORS else None)
        if target == own:
            continue
        if target is None or FLOORS[target] >= FLOORS[own]:
            wrong.append(f"{path.name}:{line}: {own} (floor {FLOORS[own]}) imports {module}.{name or ''}")
    return wrong


def test_every_room_has_a_floor() -> None:
    rooms = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in MODULES}
    assert rooms - {"__init__"} <= FLOORS.keys()


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_a_room_imports_only_from_floors_below(path: Path) -> None:
    assert wrong_imports(path, dotted(path)) == []


@pytest.mark.parametrize(
    ("importer", "text", "allowed"),
    [
        ("mesolung.engine.x", "from mesolung.reading import Refusal", True),
        ("mesolung.engine.x", "from mesolung.engine.y import f", True),
        ("mesolung.engine.x", "from mesolung.biology import assemble", False),
        ("mesolung.engine.x", "def f():\n    import mesolung.trial.arms", False),
        ("mesolung.writing", "from mesolung.reading import Refusal", True),
        ("mesolung.writing", "from mesolung.reading import read_toml", False),
        ("mesolung.trial.x", "from mesolung import compile_model", False),
        ("mesolung.trial.x", "from mesolung import engine", True),
        ("mesolung.study.x", "from mesolung import __version__", True),
        ("mesolung.report.x", "from mesolung.cli.run import run_file", False),
        ("mesolung.cli.x", "from mesolung.study.run import run_study", True),
    ],
)
def test_the_table_tells_right_from_wrong(tmp_path: Path, importer: str, text: str, allowed: bool) -> None:
    path = tmp_path / "x.py"
    path.write_text(text, encoding="utf-8")
    assert (wrong_imports(path, importer) == []) is allowed


@pytest.mark.parametrize("part", NOT_BUILT)
def test_a_planned_part_is_not_there_as_a_shell(part: str) -> None:
    assert not (PACKAGE / part).exists()
    assert not (PACKAGE / part).with_suffix(".py").exists()


def test_the_package_re_exports_what_it_says() -> None:
    import mesolung

    for name in mesolung.__all__:
        assert getattr(mesolung, name) is not None
    assert set(mesolung.__all__) <= set(dir(mesolung))
    with pytest.raises(AttributeError):
        mesolung.nothing_of_that_name  # noqa: B018


def test_third_party_imports_are_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {re.split(r"[^\w-]", line)[0].lower().replace("_", "-") for line in project["dependencies"]}
    owners = packages_distributions()
    missing = {
        f"{dotted(path)} imports {top}"
        for path in MODULES
        for top in {module.split(".")[0] for _, module, _ in imports(path)}
        if top not in sys.stdlib_module_names
        and top != "mesolung"
        and not declared & {owner.lower().replace("_", "-") for owner in owners.get(top, [])}
    }
    assert missing == set()


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_a_file_holds_one_thing(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_everything_public_says_what_it_is(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "the module has no docstring"
    assert [f"{name}:{line}" for name, line in silent(tree)] == []


def silent(holder: ast.Module | ast.ClassDef) -> Iterator[tuple[str, int]]:
    """Public names without a docstring; a protocol's members and overloads are told by what holds them."""
    for node in holder.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
            marks = {ast.unparse(mark) for mark in node.decorator_list}
            if not ast.get_docstring(node) and "overload" not in marks:
                yield node.name, node.lineno
            if isinstance(node, ast.ClassDef) and "Protocol" not in {
                ast.unparse(base) for base in node.bases
            }:
                yield from silent(node)


def texts() -> list[Path]:
    """Every text that the repository shows to a reader."""
    folders = ("src", "tests", "tools", "docs", "examples", "benchmarks", ".ci")
    found = [path for folder in folders for path in (ROOT / folder).rglob("*")]
    found += list(ROOT.iterdir())
    # In a second worktree .git is a file, and not a text of the project.
    hidden = re.compile(r"__pycache__|\.egg-info|node_modules|^\.git$")
    return sorted(
        path
        for path in found
        if path.is_file() and path.suffix in PUBLIC_TEXT and not hidden.search(str(path.relative_to(ROOT)))
    )


@pytest.mark.parametrize("path", texts(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_text_speaks_of_what_does_not_belong(path: Path) -> None:
    if path == Path(__file__).resolve():
        return  # it has to name what it forbids
    text = path.read_text(encoding="utf-8")
    found = {what: match.group() for what, pattern in FORBIDDEN.items() if (match := pattern.search(text))}
    assert found == {}
