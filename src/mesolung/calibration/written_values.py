"""Fitted values put into the parameter table and the disease files, changing nothing else of them."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from mesolung.biology.assemble import MODULES, module_text
from mesolung.biology.disease import Disease, diseases, read_disease
from mesolung.biology.parameters import COLUMNS, Parameters, read_parameters
from mesolung.calibration.moves import BETWEEN, Move, moved_value
from mesolung.reading import Refusal

DIGITS = 4
HEADER = re.compile(r"\s*\[")
DRIVER = re.compile(r"\s*\[\[driver\]\]")
TARGET = re.compile(r'\s*target\s*=\s*"([^"]*)"')
AMOUNT = re.compile(r"(\s*amount\s*=\s*\{.*?\bvalue\s*=\s*)([-+0-9.eE]+)(.*)", re.DOTALL)


@dataclass(frozen=True)
class Tables:
    """The texts that a fit reads and writes, and what they say.

    Attributes:
        texts: file -> its text, the parameter table first.
        parameters: the table.
        diseases: by name.
    """

    texts: Mapping[Path, str]
    parameters: Parameters
    diseases: Mapping[str, Disease]

    @property
    def parameter_file(self) -> Path:
        """Where the parameter table lies."""
        return next(iter(self.texts))

    @property
    def diseases_hash(self) -> str:
        """SHA-256 of the texts of all diseases, 64 hexadecimal digits."""
        return _digest(f"{name} {self.diseases[name].hash}" for name in sorted(self.diseases))

    @property
    def modules_hash(self) -> str:
        """SHA-256 of the package's modules, which the values stand in, 64 hexadecimal digits."""
        return _digest(f"{name} {module_text(name)}" for name in MODULES)

    def value(self, move: Move) -> float | list[float]:
        """Look up what a move would change.

        Arguments:
            move: of a step.

        Returns:
            a typical value, a spread, or the amounts of a disease's drivers in the model's unit.
        """
        if move.disease:
            drivers = self.diseases[move.disease].drivers
            return [d.amount.value for d in drivers if d.target == move.target]
        row = self.parameters[move.target]
        return row.between_subject if move.spread else row.value


def read_tables(folder: Path | None = None) -> Tables:
    """Read the parameter table and the diseases afresh.

    Arguments:
        folder: with ``parameters.csv`` and ``diseases/*.toml``; None for the package's own.

    Returns:
        the tables.

    Raises:
        Refusal: when one cannot be used.
    """
    place = folder if folder is not None else Path(str(files("mesolung.biology")))
    paths = [place / "parameters.csv", *(place / "diseases" / f"{name}.toml" for name in diseases())]
    return tables_of({path: path.read_bytes().decode("utf-8") for path in paths})


def tables_of(texts: Mapping[Path, str]) -> Tables:
    """Read what texts would say, before or without their being written.

    Arguments:
        texts: file -> its text, the parameter table first.

    Returns:
        the tables.

    Raises:
        Refusal: when one cannot be used; a value outside its family's support for instance.
    """
    with TemporaryDirectory() as folder:
        copies = [Path(folder) / path.name for path in texts]
        for copy, text in zip(copies, texts.values(), strict=True):
            copy.write_bytes(text.encode())
        return Tables(
            texts=dict(texts),
            parameters=read_parameters(copies[0]),
            diseases={copy.stem: read_disease(copy) for copy in copies[1:]},
        )


def moved_disease(disease: Disease, factors: Mapping[str, float]) -> Disease:
    """Scale the amounts of a disease's drivers.

    Arguments:
        disease: any.
        factors: target -> factor of the typical amount; bounds of the amount stay.

    Returns:
        the disease with the same spreads between subjects.
    """
    drivers = tuple(
        replace(d, amount=replace(d.amount, value=d.amount.value * factors[d.target]))
        if d.target in factors
        else d
        for d in disease.drivers
    )
    return replace(disease, drivers=drivers)


def moved_parameters(table: Parameters, moves: Sequence[Move], x: Sequence[float]) -> Parameters:
    """Move typical values and spreads of a table.

    Arguments:
        table: of parameters.
        moves: of a step; those of drivers are passed over.
        x: how far each.

    Returns:
        a table with the old one's hash, so that a fit compares the same draws throughout.
    """
    rows = {row.id: row for row in table.rows}
    for move, by in zip(moves, x, strict=True):
        if move.disease:
            continue
        row = rows[move.target]
        if move.spread:
            spread = moved_value(replace(row, value=row.between_subject, distribution="fixed"), by)
            rows[row.id] = replace(row, between_subject=spread)
        else:
            rows[row.id] = replace(row, value=moved_value(row, by))
    return replace(table, rows=tuple(rows.values()))


def moved_texts(tables: Tables, moves: Sequence[Move], x: Sequence[float]) -> dict[Path, str]:
    """Write moves into the texts.

    Arguments:
        tables: as read.
        moves: of a step.
        x: how far each; exactly 0 leaves the number as it is written.

    Returns:
        every file's text, numbers that moved at four significant digits.

    Raises:
        Refusal: when a text cannot be changed so.
    """
    new = moved_parameters(tables.parameters, moves, x)
    cells: dict[str, dict[str, float]] = {}
    factors: dict[str, dict[str, float]] = {}
    for move, by in zip(moves, x, strict=True):
        if by == 0.0:
            continue
        if move.disease:
            factors.setdefault(move.disease, {})[move.target] = float(moved_by(by))
        else:
            row = new[move.target]
            column = BETWEEN if move.spread else "value"
            cells.setdefault(row.id, {})[column] = row.between_subject if move.spread else row.value
    texts = dict(tables.texts)
    texts[tables.parameter_file] = with_cells(texts[tables.parameter_file], cells)
    for path in list(texts)[1:]:
        if path.stem in factors:
            texts[path] = with_amounts(texts[path], factors[path.stem], path.name)
    return texts


def moved_by(x: float) -> float:
    """Give the factor of a driver's amount.

    Arguments:
        x: how far, on the logarithm.

    Returns:
        the factor.
    """
    return float(np.exp(x))


def with_cells(text: str, cells: Mapping[str, Mapping[str, float]]) -> str:
    """Put numbers into cells of a parameter table.

    Arguments:
        text: of ``parameters.csv``.
        cells: id -> column ("value" or "between_subject") -> number.

    Returns:
        the new text.

    Raises:
        Refusal: when a row is missing, or quotes stand before one of its cells.
    """
    last = COLUMNS.index(BETWEEN) + 1
    lines, left = text.splitlines(keepends=True), set(cells)
    for k, line in enumerate(lines):
        parts = line.split(",", last)
        if parts[0] not in left:
            continue
        if '"' in "".join(parts[:last]):
            raise Refusal("quotes stand before a number that is to be changed", line=k + 1, found=parts[0])
        for column, value in cells[parts[0]].items():
            parts[COLUMNS.index(column)] = shown(value)
        lines[k] = ",".join(parts)
        left.discard(parts[0])
    if left:
        raise Refusal("no such parameter", found=", ".join(sorted(left)))
    return "".join(lines)


def with_amounts(text: str, factors: Mapping[str, float], file: str) -> str:
    """Scale the amounts of drivers in the text of a disease.

    Arguments:
        text: of the disease's file.
        factors: target -> factor.
        file: its name, for a refusal.

    Returns:
        the new text.

    Raises:
        Refusal: when a target has no driver whose amount stands on one line after it.
    """
    lines, left, target, inside = text.splitlines(keepends=True), set(factors), "", False
    for k, line in enumerate(lines):
        if HEADER.match(line):
            inside, target = bool(DRIVER.match(line)), ""
        if not inside:
            continue
        if found := TARGET.match(line):
            target = found.group(1)
        amount = AMOUNT.match(line)
        if amount and target in factors:
            before, number, after = amount.groups()
            lines[k] = f"{before}{_as_float(float(number) * factors[target])}{after}"
            left.discard(target)
    if left:
        raise Refusal("no amount of a driver to change", file=file, found=", ".join(sorted(left)))
    return "".join(lines)


def shown(value: float) -> str:
    """Write a fitted number.

    Arguments:
        value: any.

    Returns:
        four significant digits.
    """
    return f"{value:.{DIGITS}g}"


def replace_together(texts: Mapping[Path, str], before: Mapping[Path, str]) -> None:
    """Give several files new texts, all of them or none.

    Arguments:
        texts: file -> its new text.
        before: file -> the text that it is to have now; missing for a file whose old text does not matter.

    Raises:
        Refusal: when a file has changed in the meantime; nothing is written then.
    """
    changed = {p: t for p, t in texts.items() if before.get(p) != t}
    made: list[tuple[Path, Path]] = []
    old: dict[Path, bytes | None] = {}
    try:
        for path, text in changed.items():
            fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
            made.append((fresh, path))
            fresh.write_bytes(text.encode())
        # From here on it takes a few renames, which nothing is to part.
        with _undisturbed():
            for path in texts:
                if path in before and path.read_bytes().decode("utf-8") != before[path]:
                    raise Refusal("has changed since it was read; nothing was written", file=path)
            old = {path: path.read_bytes() if path.exists() else None for path in changed}
            done: list[Path] = []
            try:
                for fresh, path in made:
                    fresh.replace(path)
                    done.append(path)
            except OSError:
                for path in done:
                    _restore(path, old[path])
                raise
    finally:
        for fresh, _ in made:
            with suppress(OSError):
                fresh.unlink()


def _digest(lines: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(f"{line}\n".encode())
    return digest.hexdigest()


def _restore(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)


def _as_float(value: float) -> str:
    """TOML tells a float from an integer by its point; files write 4.0, not 4."""
    text = shown(value)
    return text if any(c in text for c in ".en") else f"{text}.0"


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Hold off Ctrl-C and SIGTERM."""
    with ExitStack() as stack:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                stack.callback(signal.signal, number, signal.signal(number, signal.SIG_IGN))
        yield
