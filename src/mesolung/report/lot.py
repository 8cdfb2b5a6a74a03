"""What a person reads of a lot: one HTML page, and a card for the terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesolung.report.answer import BANNER
from mesolung.report.html import page_html
from mesolung.report.lot_course import course_figure
from mesolung.report.lot_figures import (
    NAMES,
    dose_figure,
    gate_figures,
    properties_figure,
    radar_figure,
    sizes_figure,
)
from mesolung.report.lot_meaning import meaning_parts
from mesolung.report.lot_release import outcome, overview, release_table, side_by_side
from mesolung.report.numbers import cells, number, percent
from mesolung.report.shown import plain
from mesolung.report.tables import Table, table

if TYPE_CHECKING:
    from rich.console import RenderableType

WIDTH = 100
# Rows of the table of growth: name, key, and unit.
GROWTH = (
    ("population doublings", "doublings", ""),
    ("doublings to senescence", "doublings_to_senescence", ""),
    ("culture state, 0 young, 1 senescent", "culture_state", ""),
    ("senescent cells", "senescent", "%"),
    ("doubling time of the young culture", "doubling_time_young_h", "h"),
    ("doubling time at harvest", "doubling_time_at_harvest_h", "h"),
    ("time in culture", "days_in_culture", "d"),
    ("cells in the batch", "cells_a_batch", "cells"),
    ("doses in the batch", "doses_a_batch", ""),
    ("cells a donor could give, all carried on", "cells_a_donor", "cells"),
    ("doses a donor could give", "doses_a_donor", ""),
    ("vesicles from the batch", "particles_a_batch", "particles"),
    ("vesicle doses from the batch", "ev_doses_a_batch", ""),
    ("vesicle doses a donor could give", "ev_doses_a_donor", ""),
)


def lot_html(card: Mapping[str, Any], command: str) -> str:
    """Make the page of a lot.

    Arguments:
        card: the object that `mesolung lot --json` prints.
        command: what repeats it.

    Returns:
        HTML with plotly.js inside; the same text for the same card.
    """
    card = plain(card)
    quality = card.get("quality") or {}
    sizes = sizes_figure(quality.get("sizes") or [])
    return page_html(
        "lot.html",
        lot=card["lot"],
        what=_what(card),
        banner=BANNER,
        version=card["version"],
        answer=answer(card),
        sentences=_sentences(card),
        said=card["said"],
        overview=overview(card),
        side_by_side=side_by_side(card),
        release=[release_table(one) for one in card["release"]],
        waterfall=dose_figure(card),
        properties=properties_figure(card),
        radar=radar_figure(card),
        course=course_figure(card),
        identity=identity(card),
        assays=_assays(card),
        acts=_acts(card),
        growth=_growth(card),
        measured=_measured(quality),
        plots=gate_figures(quality.get("gates") or []) + ([sizes] if sizes else []),
        meaning=meaning_parts(card.get("meaning")),
        assumed=_assumed(card),
        lot_text=card.get("lot_text", ""),
        command=command,
    )


def write_lot(card: Mapping[str, Any], path: str | Path, command: str) -> None:
    """Write the page of a lot.

    Arguments:
        card, command: as `lot_html`.
        path: the file to make.

    Raises:
        Refusal: when the file exists or cannot be written.
    """
    from mesolung.writing import whole_file

    page = lot_html(card, command)
    with whole_file(path) as place:
        place.write_text(page, encoding="utf-8")


def answer(card: Mapping[str, Any]) -> str:
    """The card in one sentence: the release, and what a dose is worth.

    Arguments:
        card: of the lot.
    """
    said = [f"{one['name']}: {outcome(one)}" for one in card["release"]]
    first, last = card["dose"][0], card["dose"][-1]
    worth = (
        ""
        if not first["p50"]
        else f"; of a dose {percent(last['p50'] / first['p50'])} are left {last['stage']}"
    )
    return f"{'; '.join(said) or 'no specification'}{worth}."


def identity(card: Mapping[str, Any]) -> str:
    """How far the identity markers narrow what is known of potency.

    Arguments:
        card: of the lot.
    """
    found = card["identity"]
    if card["product"].get("type") in ("ev", "conditioned-medium"):
        return (
            "What the vesicles carry, their size and their purity decide the release and how many "
            "vesicles a dose holds, and narrow potency by 0 %: they say what was given, not what it does."
        )
    if not found["markers"]:
        return "No identity marker was measured; had they been, they would narrow potency by 0 %."
    return (
        f"Identity ({', '.join(found['markers'])}) narrows the 90 % interval of potency by "
        f"{percent(found['narrowed'])}: markers say what the cells are, not what they do."
    )


def lot_table(card: Mapping[str, Any]) -> RenderableType:
    """Show a card in at most 100 columns.

    Arguments:
        card: of the lot.
    """
    from rich.console import Group
    from rich.constrain import Constrain
    from rich.table import Table as Grid
    from rich.text import Text

    card = plain(card)
    parts: list[Any] = [Text(f"Lot {card['lot']}: {_what(card)}", style="bold"), Text(answer(card))]
    shown = [*(release_table(one) for one in card["release"]), _properties(card), _dose(card), _growth(card)]
    shown += [t for t in (_assays(card), *_measured(card.get("quality") or {})) if t]
    meaning = meaning_parts(card.get("meaning"))
    shown += meaning["tables"] if meaning else []
    for one in shown:
        grid = Grid(box=None, pad_edge=False, header_style="bold")
        for i, heading in enumerate(one.header):
            grid.add_column(Text(heading), justify="right" if i in one.numeric else "left", overflow="fold")
        for row in one.rows:
            grid.add_row(*(Text(cell) for cell in row))
        parts += [Text(f"\n{one.caption}", style="bold"), grid]
    parts += [Text(""), *(Text(line) for line in meaning["sentences"])] if meaning else []
    parts += [Text(f"\n{identity(card)}"), *(Text(line) for line in _sentences(card))]
    parts += [Text(f"note: {line}") for line in card["said"]]
    parts.append(Text(f"{len(card['assumed'])} assumed inputs stand in the page; {card['draws']} lots drawn"))
    parts.append(Text(BANNER + ".", style="italic"))
    return Constrain(Group(*parts), WIDTH)


def _what(card: Mapping[str, Any]) -> str:
    product = card["product"]
    donor = product.get("donor") or {}
    kind = product.get("type", "cells")
    bits = [product.get("source", "source not stated"), "vesicles" if kind == "ev" else kind]
    bits += [f"passage {product['passage']}"] if "passage" in product else []
    bits += [f"donor of {donor['age']}"] if "age" in donor else []
    bits += ["frozen"] if product.get("cryopreserved") else []
    return ", ".join(bits)


def _sentences(card: Mapping[str, Any]) -> list[str]:
    growth = card["growth"]
    first, last = growth["window"]
    window = {True: "within", False: "outside"}.get(growth["in_window"])
    found = (
        [] if window is None else [f"The passage is {window} the clinical window of {first:g} to {last:g}."]
    )
    wide = card["properties"]["potency"]["now"]
    found.append(
        f"Potency against the reference is {_band(wide)}; what a dish tells is weakly linked to what "
        "happens in people."
    )
    if course := card.get("course"):
        first = (f"{percent(course[key]['mean'][0])} of their {key}" for key in ("secretion", "licensing"))
        found.append(
            f"When they are given the cells have {' and '.join(first)}, on average over lots; the rest comes "
            "back in the body within hours to days."
        )
    return found


def _properties(card: Mapping[str, Any]) -> Table:
    rows = [
        (NAMES.get(str(name), str(name)), _band(b["prior"]), _band(b["now"]))
        for name, b in card["properties"].items()
    ]
    header = ("Against the reference", "Before its assays (90 %)", "With its assays (90 %)")
    return table("What the lot does", header, rows)


def _dose(card: Mapping[str, Any]) -> Table:
    rows = [(s["stage"], cells(s["p50"]), cells(s["p05"]), cells(s["p95"])) for s in card["dose"]]
    return table("One dose of 70 kg", ("Stage", "Median", "5 %", "95 %"), rows, (1, 2, 3))


def _growth(card: Mapping[str, Any]) -> Table:
    found, rows = card["growth"], []
    vesicles = card["product"].get("type") == "ev"
    for name, key, unit in GROWTH:
        if ("vesicle" in name) != vesicles and ("vesicle" in name or "dose" in name):
            continue
        band = found[key]
        if unit == "%":
            shown = _band(band, percent)
        elif unit in ("cells", "particles"):
            shown = _band(band, cells)
        else:
            shown = _band(band)
        rows.append((name, shown, "" if unit == "%" else unit))
    return table("Growth, median (90 %)", ("What", "Value", "Unit"), rows)


def _assays(card: Mapping[str, Any]) -> Table | None:
    rows = [
        (
            one["name"],
            f"{number(one['value'])} {one['unit']}",
            number(one["reference"]),
            NAMES.get(str(one["about"]), str(one["about"])) if one["used"] else "moves nothing",
            number(one["link"]),
            one["grade"],
        )
        for one in card["assays"]
    ]
    header = ("Assay", "Read", "Reference lot", "Tells of", "Link to the body", "Grade")
    return table("Potency assays", header, rows, (2, 4)) if rows else None


def _acts(card: Mapping[str, Any]) -> Table | None:
    rows = [
        (
            one["meaning"],
            one["parameter"] or one["on"],
            f"{number(one['shift'])} ± {number(one['sd'])}",
            percent(one["none"]),
            one["grade"],
            one["source"],
        )
        for one in card["acts"]
    ]
    header = ("What was stated", "Moves", "By (log, mean ± SD)", "Not at all in", "Grade", "Source")
    return table("What is known of what was done", header, rows, (2, 3)) if rows else None


def _assumed(card: Mapping[str, Any]) -> Table:
    rows = [
        (
            one["name"],
            one["value"] if isinstance(one["value"], str) else number(one["value"]),
            one["unit"],
            one["grade"],
            one["source"],
        )
        for one in card["assumed"]
    ]
    return table("Assumed inputs", ("What", "Value", "Unit", "Grade", "Source"), rows, (1,))


def _measured(quality: Mapping[str, Any]) -> list[Table]:
    found = []
    if rows := quality.get("taken"):
        header = ("From", "What", "Value", "How")
        found.append(table("Taken from the quality files", header, [tuple(map(str, r)) for r in rows]))
    if rows := quality.get("repairs"):
        found.append(table("Repairs", ("File", "Repair"), [tuple(map(str, r)) for r in rows]))
    return found


def _band(band: Mapping[str, Any], shown: Callable[[Any], str] = number) -> str:
    """Median and interval; a number alone where all lots have it."""
    low, middle, high = (shown(band[key]) for key in ("p05", "p50", "p95"))
    return middle if low == high else f"{middle} ({low} to {high})"
