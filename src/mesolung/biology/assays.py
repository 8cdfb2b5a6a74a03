"""Cultures as the model answers them, read from ``assays.toml`` and checked against the model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from importlib.resources import as_file, files
from types import MappingProxyType
from typing import Any

from mesolung.biology.parameters import read_parameters
from mesolung.biology.symbols import package_symbols
from mesolung.reading import Refusal, read_toml

TABLE = "assays.toml"
EMPTY: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True)
class Part:
    """Responders, a stimulus or a condition of a culture.

    Attributes:
        name: of it; of a condition its words.
        words: by which it is known in a study's text.
        cells: states whose sum at rest is the number of responders.
        kind: of responders.
        company: kind -> its cells for each responder.
        stimulus: name of the usual stimulus of responders; empty for none.
        start: state -> its amount when the culture starts, in the model's unit.
        set: parameter -> its value in the culture.
        ratio: product cells for each responder that a condition stands for; None for no such.
        alone: whether a condition with it takes the place of all others.
        licensed: whether the product's cells were switched on before the assay.
        donor: species of the product's cells where the product does not say it; empty for human.
        reason: why what it says is not in the model; empty where it is.
    """

    name: str
    words: tuple[str, ...]
    cells: tuple[str, ...] = ()
    kind: str = ""
    company: Mapping[str, float] = field(default_factory=lambda: EMPTY)
    stimulus: str = ""
    start: Mapping[str, float] = field(default_factory=lambda: EMPTY)
    set: Mapping[str, float] = field(default_factory=lambda: EMPTY)
    ratio: float | None = None
    alone: bool = False
    licensed: bool = False
    donor: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Readout:
    """What an assay reads.

    Attributes:
        endpoint: its name in study files.
        of: outputs that are added.
        per: outputs that it is a share of; empty for none.
        above_start: whether only what came on top of the start counts.
        inhibition: whether it is 100 % minus the percent of control.
        resting: whether it is read of responders that nothing excites, where a study names no stimulus.
        floor: what the assay shows without any, in the model's unit.
        reason: why it is not in the model; empty where it is.
    """

    endpoint: str
    of: tuple[str, ...] = ()
    per: tuple[str, ...] = ()
    above_start: bool = False
    inhibition: bool = False
    resting: bool = False
    floor: float = 0.0
    reason: str = ""


@dataclass(frozen=True)
class Factor:
    """A soluble factor of the product.

    Attributes:
        state: its amount.
        secretion, loss: parameters of how it is made and lost in a lung.
        needs_interferon: whether only cells that met interferon gamma make it.
    """

    state: str
    secretion: str
    loss: str
    needs_interferon: bool = False


@dataclass(frozen=True)
class Mediator:
    """What the responders secrete into the well.

    Attributes:
        state: its amount.
        made: parameters of how it is made in a lung.
        loss: parameter of how it is lost there.
    """

    state: str
    made: tuple[str, ...]
    loss: str


@dataclass(frozen=True)
class Assays:
    """All of the table.

    Attributes:
        culture: numbers of every culture, as the table names them.
        set: parameter -> value in every culture.
        factors: of the product.
        mediators: of the responders.
        kinds: of cells -> their states.
        responders, stimuli, conditions: in the table's order.
        apart: parameter -> value without touch.
        readouts: by endpoint.
    """

    culture: Mapping[str, Any]
    set: Mapping[str, float]
    factors: tuple[Factor, ...]
    mediators: tuple[Mediator, ...]
    kinds: Mapping[str, tuple[str, ...]]
    responders: tuple[Part, ...]
    stimuli: tuple[Part, ...]
    conditions: tuple[Part, ...]
    apart: Mapping[str, float]
    readouts: Mapping[str, Readout]


@cache
def assays() -> Assays:
    """Read ``assays.toml``.

    Returns:
        the table.

    Raises:
        Refusal: for a name that is neither state, observable nor parameter of the model.
    """
    with as_file(files("mesolung.biology") / TABLE) as path:
        document = read_toml(path)
    table = document.values
    culture = {k: v for k, v in table["culture"].items() if k != "set"}
    found = Assays(
        culture=MappingProxyType(culture),
        set=MappingProxyType({one["parameter"]: float(one["value"]) for one in table["culture"]["set"]}),
        factors=tuple(Factor(**one) for one in table["factor"]),
        mediators=tuple(Mediator(m["state"], tuple(m["made"]), m["loss"]) for m in table["mediator"]),
        kinds=MappingProxyType({one["name"]: tuple(one["cells"]) for one in table["kind"]}),
        responders=tuple(_part(one) for one in table["responder"]),
        stimuli=tuple(_part(one) for one in table["stimulus"]),
        conditions=tuple(_part(one) for one in table["condition"]),
        apart=MappingProxyType(dict(table["apart"]["set"])),
        readouts=MappingProxyType({one["endpoint"]: _readout(one) for one in table["readout"]}),
    )
    _check(found)
    return found


def assays_sha256() -> str:
    """Hash of the table and of what cells sense across species: what a culture rests on beside the model."""
    tables = (files("mesolung.biology") / name for name in (TABLE, "cross_reactivity.csv"))
    return sha256(b"".join(table.read_bytes() for table in tables)).hexdigest()


def first_that_fits(parts: Sequence[Part], texts: Iterable[str | None]) -> Part | None:
    """Find the first part that a study's words name.

    Arguments:
        parts: in the order in which they are asked.
        texts: of the study, the more telling first; the first text that names any decides.
    """
    for text in texts:
        for part in parts:
            if text and any(says(text, word) for word in part.words):
                return part
    return None


def all_that_fit(parts: Sequence[Part], text: str) -> tuple[Part, ...]:
    """Find all parts that a text names; one that stands alone takes the place of the others.

    Arguments:
        parts: conditions.
        text: name of an arm.
    """
    found = tuple(part for part in parts if any(says(text, word) for word in part.words))
    alone = tuple(part for part in found if part.alone)
    return alone or found


def says(text: str, word: str) -> bool:
    """Whether a text holds a word, whole and with its case.

    Arguments:
        text: as a publication has it.
        word: letters, digits and signs.
    """
    return re.search(rf"(?<![\w+-]){re.escape(word)}(?![\w+-])", text) is not None


def _part(table: Mapping[str, Any]) -> Part:
    words = tuple(table["words"])
    return Part(
        name=str(table.get("name", words[0])),
        words=words,
        cells=tuple(table.get("cells", ())),
        kind=str(table.get("kind", "")),
        company=MappingProxyType(dict(table.get("company", {}))),
        stimulus=str(table.get("stimulus", "")),
        start=MappingProxyType(dict(table.get("state", table.get("start", {})))),
        set=MappingProxyType(dict(table.get("set", {}))),
        ratio=table.get("ratio"),
        alone=bool(table.get("alone", False)),
        licensed=bool(table.get("licensed", False)),
        donor=str(table.get("donor", "")),
        reason=str(table.get("reason", "")),
    )


def _readout(table: Mapping[str, Any]) -> Readout:
    made = {**table, "of": tuple(table.get("of", ())), "per": tuple(table.get("per", ()))}
    return Readout(**made)


def _check(found: Assays) -> None:
    symbols = package_symbols()
    parameters = {row.id for row in read_parameters().rows}
    parts = (*found.responders, *found.stimuli, *found.conditions)
    set_ = [*found.set, *found.apart, *found.culture["scaled"], *found.culture["diluted"]]
    set_ += [f"{name}_healthy" for cells in found.kinds.values() for name in cells]
    set_ += [found.culture["resting"], *(n for p in parts for n in p.set)]
    set_ += [name for f in found.factors for name in (f.secretion, f.loss)]
    set_ += [name for m in found.mediators for name in (*m.made, m.loss)]
    named = [*(n for p in parts for n in (*p.cells, *p.start)), *(f.state for f in found.factors)]
    named += [m.state for m in found.mediators]
    named += [n for r in found.readouts.values() for n in (*r.of, *r.per)]
    named += [*found.culture["lung_cells"]]
    named += [found.culture[k] for k in ("cells_enter", "vesicles_enter", "dying_enter", "interferon")]
    for name in set_:
        if name not in parameters:
            raise Refusal("no such parameter in the model", file=TABLE, found=name)
    for name in named:
        if name not in symbols:
            raise Refusal("no such state or observable in the model", file=TABLE, found=name)
    stimuli = {part.name for part in found.stimuli}
    for part in found.responders:
        for name in (part.kind, *part.company):
            if name not in found.kinds:
                raise Refusal("no such kind of cell", file=TABLE, found=name, allowed=", ".join(found.kinds))
        if part.stimulus and part.stimulus not in stimuli:
            raise Refusal("no such stimulus", file=TABLE, found=part.stimulus, allowed=", ".join(stimuli))
