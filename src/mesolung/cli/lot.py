"""`mesolung lot`: the card of a lot, its release, and what it would mean in a study."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesolung.cli.lot_tables import is_table, lot_tables
from mesolung.cli.progress import shown_progress
from mesolung.cli.telling import tell
from mesolung.execution import worker_count
from mesolung.reading import Refusal
from mesolung.writing import numbered, whole_folder

if TYPE_CHECKING:
    from mesolung.product.product import Product

TABLE_WIDTH = 100
SHOWN = 5


def lot_file(
    path: Path,
    *,
    fcs: Path | None,
    control: Path | None,
    gates: Path | None,
    gate_markers: Path | None,
    nta: Path | None,
    plate: Path | None,
    counts: Path | None,
    specs: Sequence[str],
    study: Path | None,
    draws: int,
    seed: int,
    workers: int | None,
    out: Path | None,
    as_json: bool,
) -> int:
    """Read a lot file and its quality files, keep the card and print it.

    Arguments:
        path: the lot file, or a table of published lots, .csv.
        fcs, control, gates, gate_markers, nta, plate, counts: quality files; None for none.
        specs: ids or files of specifications; empty for all bundled ones about such a product.
        study: a study file to give the lot in; None for none.
        draws: parameter draws of the study.
        seed: start of every random stream.
        workers: threads; None for one per processor.
        out: the folder to make; None for ``runs/lot-STEM-N``.
        as_json: print the JSON and nothing else on standard output.

    Returns:
        the exit status: 0, whatever the release says.

    Raises:
        Refusal: when a file, an option or the target folder is refused; nothing is kept.
        NotWritten: when the disk is full.
    """
    from mesolung.population.draws import PRIOR_KEY
    from mesolung.product.card import lot_card
    from mesolung.product.measured_lot import quality_of
    from mesolung.product.release import decide
    from mesolung.product.specs import specs_for
    from mesolung.report.lot import lot_table, write_lot
    from mesolung.study import read_lot, read_study
    from mesolung.study.lot_in_study import lot_in_study
    from mesolung.study.lots import lot_text
    from mesolung.study.result import canonical, json_text

    if is_table(path):
        beside = {"fcs": fcs, "control": control, "gates": gates, "gate-markers": gate_markers, "nta": nta}
        beside |= {"plate": plate, "counts": counts, "in": study}
        return lot_tables(path, beside=beside, specs=specs, out=out, as_json=as_json)
    stated = read_lot(path)
    product, quality = quality_of(
        stated,
        fcs=fcs,
        control=control,
        gates=gates,
        names=gate_markers,
        nta=nta,
        plate=plate,
        counts=counts,
    )
    decisions = decide(product, specs_for(product, specs))
    given = None if study is None else read_study(study)
    target = out or numbered(Path("runs") / f"lot-{path.stem}")
    with whole_folder(target) as place:
        earlier, passed_over = _earlier(path)
        card: dict[str, Any] = lot_card(product, decisions, key=PRIOR_KEY, earlier=earlier, seed=seed)
        card["said"] += passed_over
        card["lot_text"] = lot_text(product)
        if quality is not None:
            card["quality"] = quality
        if given is not None:
            with shown_progress() as progress:
                card["meaning"] = lot_in_study(
                    product, given, draws=draws, seed=seed, workers=worker_count(workers), progress=progress
                )
        card = canonical(card)
        (place / "card.json").write_text(json_text(card), encoding="utf-8")
        (place / "lot.toml").write_text(card["lot_text"], encoding="utf-8")
        write_lot(
            card,
            place / "card.html",
            _command(path, fcs, control, gates, gate_markers, nta, plate, counts, specs, study, draws, seed),
        )
    page = target / "card.html"
    tell(card, lambda: lot_table(card), page, as_json=as_json, width=TABLE_WIDTH, what="card")
    return 0


def _earlier(path: Path) -> tuple[dict[str, Product], list[str]]:
    """The other lot files of the folder, and what could not be read of them."""
    from mesolung.study import read_lot

    found: dict[str, Any] = {}
    no_lots = []
    for other in sorted(path.parent.glob("*.toml")):
        if other.resolve() == path.resolve():
            continue
        try:
            product = read_lot(other)
        except Refusal:
            no_lots.append(other.name)
            continue
        found[product.lot or other.stem] = product
    if not no_lots:
        return found, []
    more = f" and {len(no_lots) - SHOWN} more" if len(no_lots) > SHOWN else ""
    return found, [f"Beside it, and no lots that can be read: {', '.join(no_lots[:SHOWN])}{more}."]


def _command(
    path: Path,
    fcs: Path | None,
    control: Path | None,
    gates: Path | None,
    gate_markers: Path | None,
    nta: Path | None,
    plate: Path | None,
    counts: Path | None,
    specs: Sequence[str],
    study: Path | None,
    draws: int,
    seed: int,
) -> str:
    files = {"fcs": fcs, "control": control, "gates": gates, "gate-markers": gate_markers}
    files |= {"nta": nta, "plate": plate, "counts": counts, "in": study}
    said = ["mesolung lot", path.name]
    said += [f"--{name} {file.name}" for name, file in files.items() if file is not None]
    said += [f"--spec {Path(name).name}" for name in specs]
    said += [f"--draws {draws}"] if study is not None else []
    return " ".join([*said, f"--seed {seed}"])
