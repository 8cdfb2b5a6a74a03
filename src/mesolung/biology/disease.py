"""Diseases, read from TOML files and checked against the model that they drive."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path

from mesolung.biology.course import Criterion as Criterion
from mesolung.biology.course import Disease as Disease
from mesolung.biology.course import Driver as Driver
from mesolung.biology.course import DriverEvents as DriverEvents
from mesolung.biology.course import Onset as Onset
from mesolung.biology.course import Repeat as Repeat
from mesolung.biology.course import Spread as Spread
from mesolung.biology.entries import Entry
from mesolung.biology.parameters import read_parameters
from mesolung.biology.spreads import hours, read_rate, read_spread, read_time
from mesolung.biology.symbols import Symbol, package_symbols, unit_id, unit_powers
from mesolung.biology.tables import covariates
from mesolung.reading import Refusal, read_toml
from mesolung.units import UnitError, convert

KEYS = (
    "extends", "name", "label", "course", "onset", "group", "driver", "criteria", "delay", "delay_from_onset",
    "covariates",
)  # fmt: skip
INF = float("inf")
# A driver that comes more often than this belongs into a law.
MOST_REPEATS = 1000
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def diseases() -> tuple[str, ...]:
    """List the diseases of the package.

    Returns:
        names, sorted.
    """
    folder = files("mesolung.biology") / "diseases"
    return tuple(sorted(e.name.removesuffix(".toml") for e in folder.iterdir() if e.name.endswith(".toml")))


def read_disease(which: str | Path) -> Disease:
    """Read a disease, with what its ``extends`` inherits.

    Arguments:
        which: one of `diseases`, or the path of a file; what that extends lies beside it or in the package.

    Returns:
        the disease.

    Raises:
        Refusal: for an unknown name; with file and line for a key that is missing or unknown, a number out of
            its bounds, a name that the model does not have, or a unit that does not fit the model's.
    """
    layers, texts = _layers(which, ())
    return _disease(layers, hashlib.sha256("".join(texts).encode()).hexdigest())


def _layers(which: str | Path, above: tuple[str, ...]) -> tuple[list[Entry], list[str]]:
    """The file's own content before what it inherits; the texts the other way round."""
    if isinstance(which, str):
        if which not in diseases():
            raise Refusal("unknown disease", found=which, allowed=", ".join(diseases()))
        with as_file(files("mesolung.biology") / "diseases" / f"{which}.toml") as path:
            document = read_toml(path)
        entry = Entry(document, f"{which}.toml", (), document.values)
        if entry.text("name") != which:
            raise entry.refusal("the name is not the file's", "name", found=entry.text("name"), allowed=which)
    else:
        document = read_toml(which)
        entry = Entry(document, str(which), (), document.values)
    entry.only(*KEYS)
    if "extends" not in entry.values:
        return [entry], [document.text]
    parent = entry.text("extends")
    beside = document.file.parent / f"{parent}.toml"
    if not isinstance(which, str) and beside.is_file():
        following: str | Path = beside
    elif parent in diseases():
        following = parent
    else:
        raise entry.refusal(
            "extends an unknown disease", "extends", found=parent, allowed=", ".join(diseases())
        )
    if str(following) in (*above, str(which)):
        raise entry.refusal("extends itself", "extends", found=parent)
    inherited, texts = _layers(following, (*above, str(which)))
    return [entry, *inherited], [*texts, document.text]


def _disease(layers: list[Entry], digest: str) -> Disease:
    def holding(key: str) -> Entry:
        return next((layer for layer in layers if key in layer.values), layers[0])

    groups = _groups(holding("group"))
    length, every, since = _course(holding("course").table("course"))
    traits = _covariates(layers)
    at_start = Spread("fixed", 0.0, unit="h")
    delay = _delay(holding("delay"), "delay", at_start)
    return Disease(
        name=_name(holding("name")),
        label=holding("label").text("label"),
        length_h=length,
        sampled_every_h=every,
        onset=_onset(holding("onset").table("onset", required=False)),
        drivers=tuple(_driver(e, [g for g, _ in groups]) for e in holding("driver").tables("driver")),
        groups=groups,
        covariates=traits,
        criteria=_criteria(holding("criteria").table("criteria", required=False), tuple(traits)),
        delay=delay,
        delay_from_onset=_delay(holding("delay_from_onset"), "delay_from_onset", delay),
        hash=digest,
        sampled_from_h=since,
    )


def _name(layer: Entry) -> str:
    name = layer.text("name")
    # It names files too.
    if not NAME.fullmatch(name):
        allowed = "letters and digits, with - or _ between them"
        raise layer.refusal("the name is no name of a disease", "name", found=name, allowed=allowed)
    return name


def _course(entry: Entry) -> tuple[float, float, float]:
    """Length, time between samples, and first sample, h."""
    entry.only("length", "sampled_every", "sampled_from")
    length, every = hours(entry, "length"), hours(entry, "sampled_every")
    for key, value, most in (("length", length, INF), ("sampled_every", every, length)):
        if not 0.0 < value <= most:
            allowed = "more than 0 h" if most == INF else f"more than 0 h, at most the length, {most:g} h"
            raise entry.refusal(f"{key} is impossible", key, found=f"{value:g} h", allowed=allowed)
    since = hours(entry, "sampled_from") if "sampled_from" in entry.values else 0.0
    if since > length - every:
        raise entry.refusal(
            "sampled_from leaves no two samples",
            "sampled_from",
            found=f"{since:g} h",
            allowed=f"at most {length - every:g} h, the length less sampled_every",
        )
    return length, every, since


def _delay(layer: Entry, key: str, usual: Spread) -> Spread:
    return read_time(layer.table(key), lowest=0.0) if key in layer.values else usual


def _groups(layer: Entry) -> tuple[tuple[str, float], ...]:
    found: dict[str, float] = {}
    for entry in layer.tables("group"):
        entry.only("name", "share")
        name = entry.text("name")
        if name in found:
            raise entry.refusal("a group stands twice", "name", found=name)
        found[name] = entry.share("share")
    if found and abs(sum(found.values()) - 1.0) > 1e-9:
        raise layer.refusal(
            "the shares of the groups do not add up to 1",
            "group",
            0,
            "share",
            found=f"{sum(found.values()):g}",
        )
    return tuple(found.items())


def _onset(entry: Entry) -> Onset:
    entry.only("observable", "above", "time")
    time = hours(entry, "time") if "time" in entry.values else 0.0
    if "observable" not in entry.values:
        if "above" in entry.values:
            raise entry.refusal("onset lacks observable", "above")
        return Onset(None, 0.0, time)
    if "time" in entry.values:
        raise entry.refusal("onset has an observable and a time", "time", allowed="one of them")
    name = entry.text("observable")
    _known(entry, name, ("state", "observable"), "observable")
    return Onset(name, entry.number("above"), time)


def _criteria(table: Entry, traits: tuple[str, ...]) -> tuple[Criterion, ...]:
    found = []
    for name in table.values:
        entry = table.table(name)
        entry.only("min", "max")
        if name not in traits:
            _known(table, name, ("state", "observable"), name)
        if not entry.values:
            raise entry.refusal(f"the criterion {name} bounds nothing", allowed="min, max or both")
        low, high = entry.number("min", -INF), entry.number("max", INF)
        if low > high:
            raise entry.refusal(
                f"min of {name} is above max", "min", found=f"{low:g}", allowed=f"up to {high:g}"
            )
        found.append(Criterion(name, low, high))
    return tuple(found)


def _covariates(layers: list[Entry]) -> dict[str, Spread]:
    found: dict[str, Spread] = {}
    for layer in reversed(layers):
        table = layer.table("covariates", required=False)
        for name in table.values:
            entry = table.table(name)
            spread = read_spread(entry, _varying())
            row, symbol = covariates().get(name), package_symbols().get(name)
            if row is not None:
                fits = _same(spread.unit, row.unit)
                unit = row.unit
            elif symbol is not None and symbol.kind == "parameter":
                fits = unit_powers(unit_id(spread.unit)) == unit_powers(symbol.unit)
                unit = symbol.unit
            else:
                raise table.refusal(
                    "unknown covariate",
                    name,
                    found=name,
                    allowed=f"{', '.join(covariates())}, or a parameter",
                )
            if not fits:
                raise entry.refusal(
                    f"the unit of {name} does not fit", "unit", found=spread.unit, allowed=unit
                )
            found[name] = spread
    return found


def _same(unit: str, other: str) -> bool:
    try:
        return convert(1.0, unit, other) == 1.0
    except UnitError:
        return False


def _driver(entry: Entry, groups: list[str]) -> Driver:
    entry.only("target", "amount", "time", "duration", "share", "group", "repeat")
    target = entry.text("target")
    symbol = _known(entry, target, ("state", "parameter"), "target")
    group = entry.text("group", "")
    if group and group not in groups:
        raise entry.refusal("unknown group", "group", found=group, allowed=", ".join(groups) or "none")
    amount = read_spread(entry.table("amount"), _varying(), lowest=0.0)
    duration = None
    if "duration" in entry.values:
        if symbol.kind == "state":
            raise entry.refusal(
                f"the state {target} is given at once", "duration", allowed=f"the target rate_{target}"
            )
        duration = read_time(entry.table("duration"), _varying(), above=0.0)
    _fits(entry, amount, symbol, over_time=duration is not None)
    time = (
        read_time(entry.table("time"), _varying(), lowest=0.0)
        if "time" in entry.values
        else Spread("fixed", 0.0, unit="h")
    )
    repeat = _repeat(entry.table("repeat")) if "repeat" in entry.values else None
    if repeat is not None and repeat.rate is not None and "time" in entry.values:
        raise entry.refusal(
            "what comes by chance has no time of its own", "time", allowed="repeat with from and until"
        )
    return Driver(target, amount, time, duration, entry.share("share", 1.0), group, repeat)


def _repeat(entry: Entry) -> Repeat:
    """Read how a driver comes again: at even distances (``every``) or by chance (``rate``)."""
    entry.only("every", "rate", "from", "until")
    if ("every" in entry.values) == ("rate" in entry.values):
        raise entry.refusal("repeat needs one of every and rate", allowed="every or rate")
    start, end = hours(entry, "from") if "from" in entry.values else 0.0, hours(entry, "until")
    if end <= start:
        raise entry.refusal(
            "until is not after from", "until", found=f"{end:g} h", allowed=f"more than {start:g} h"
        )
    if "rate" in entry.values:
        repeat = Repeat(None, read_rate(entry.table("rate"), _varying()), start, end)
        key = "rate"
    else:
        every = hours(entry, "every")
        if every <= 0.0:
            raise entry.refusal("every is no time", "every", found=f"{every:g} h", allowed="more than 0 h")
        repeat = Repeat(every, None, start, end)
        key = "every"
    if repeat.most > MOST_REPEATS:
        raise entry.refusal(
            "it comes too often", key, found=f"up to {repeat.most}", allowed=f"up to {MOST_REPEATS} times"
        )
    return repeat


def _fits(entry: Entry, amount: Spread, symbol: Symbol, *, over_time: bool) -> None:
    """Refuse an amount in another unit than its target's; over time it is the total, hours times as much."""
    wanted = unit_powers(symbol.unit)
    if over_time:
        wanted = unit_powers("h", wanted)
    if unit_powers(unit_id(amount.unit)) != wanted:
        raise entry.refusal(
            f"the unit of the amount does not fit {symbol.name}",
            "amount",
            "unit",
            found=amount.unit,
            allowed=f"{symbol.unit} times h, a total" if over_time else symbol.unit,
        )


def _known(entry: Entry, name: str, kinds: tuple[str, ...], key: str) -> Symbol:
    symbol = package_symbols().get(name)
    if symbol is None or symbol.kind not in kinds:
        raise entry.refusal(
            f"names what is no {' or '.join(kinds)} of the model", key, found=name, allowed=_near(name, kinds)
        )
    return symbol


def _near(name: str, kinds: tuple[str, ...]) -> str | None:
    """Names of the model that look like one that it does not have."""
    from difflib import get_close_matches

    names = [s.name for s in package_symbols().values() if s.kind in kinds]
    return ", ".join(get_close_matches(name, names, n=3, cutoff=0.6)) or None


@cache
def _varying() -> frozenset[str]:
    """The parameters that differ between subjects, which a spread can be correlated with."""
    return frozenset(row.id for row in read_parameters() if row.between_subject > 0.0)
