"""Cytometry files are read as they were written; what is repaired is told, and what cannot be, refused."""

from __future__ import annotations

import csv
import hashlib
import warnings
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from mesolung.product import read_fcs
from mesolung.product.quality import fcs_decode
from mesolung.reading import Refusal

Tool = Callable[[str], ModuleType]
STORED = list(csv.DictReader((Path(__file__).parent / "quality_samples.csv").open(encoding="utf-8")))
EVENTS = 300

# Fault -> what the log says. Everything but names is as in the sound file.
REPAIRED = {
    "end-one-late": "end of the events: found",
    "start-one-late": "offset by one; read from byte",
    "start-one-early": "it is the last byte of TEXT; read from byte",
    "zero-text-offsets": "HEADER, offsets of TEXT",
    "text-start-one-late": "HEADER, start of TEXT",
    "text-end-one-late": "HEADER, end of TEXT",
    "no-data-offsets": "the events are read after TEXT",
    "two-data-sets": "2 data sets; this is number 0",
    "name-twice": "$P5N: found 'FITC-A' a second time; channel named FITC-A-2",
    "name-missing": "$P4N: found nothing; channel named P4",
    "total-too-low": f"$TOT: found {EVENTS - 7}; the segment holds {EVENTS} events",
    "total-missing": "$TOT: found nothing",
    "bytes-swapped": "$BYTEORD: found 4,3,2,1; the bytes stand the other way round",
    "latin-1": "keywords read as Latin-1",
}
REFUSED = {
    "truncated": "truncated: the events end after the end of the file",
    "no-header": "truncated: shorter than an FCS HEADER (found 40 bytes; allowed: at least 58 bytes)",
    "wrong-magic": "not an FCS file (found 'FSC3.1'; allowed: FCS2.0, FCS3.0, FCS3.1)",
    "newer-version": "version of FCS that is not read (found FCS3.2",
    "no-events": "no events (found $TOT 0; allowed: at least one event)",
    "header-of-2-GB": "TEXT segment is too long",
    "total-of-2e9": "truncated: the events end after the end of the file",
    "histogram": "$MODE is not read (found C",
    "text-data": "$DATATYPE is not read (found A",
    "channels-of-1e9": "$PAR is no number of channels (found 1000000000; allowed: 1 to 1024)",
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).resolve().parent.parent / "tools"))
        broken_fcs, synthetic_lots = (import_module(name) for name in ("broken_fcs", "synthetic_lots"))
        folder = tmp_path_factory.mktemp("fcs")
        sound = synthetic_lots.fcs_bytes(synthetic_lots.draw(synthetic_lots.LOTS[0], EVENTS))
        written = {}
        for name, content in broken_fcs.broken(sound).items():
            written[name] = folder / f"{name}.fcs"
            written[name].write_bytes(content)
        yield written


def test_every_fault_is_tested(files: dict[str, Path]) -> None:
    assert files.keys() == REPAIRED.keys() | REFUSED.keys() | {"sound", "integers-of-24-bits"}


@pytest.mark.parametrize("fault", REPAIRED)
def test_a_repair_is_told_and_moves_no_event(files: dict[str, Path], fault: str) -> None:
    sound, flow = read_fcs(files["sound"]), read_fcs(files[fault])
    assert sound.repairs == ()
    assert any(REPAIRED[fault] in str(repair) for repair in flow.repairs), flow.repairs
    np.testing.assert_array_equal(flow.events, sound.events)


@pytest.mark.parametrize("fault", REFUSED)
def test_a_refusal_names_the_file_and_the_fault(files: dict[str, Path], fault: str) -> None:
    with pytest.raises(Refusal) as caught:
        read_fcs(files[fault])
    assert str(caught.value).startswith(f"{files[fault]}: {REFUSED[fault]}"), caught.value


def test_integers_of_24_bits_are_decoded(files: dict[str, Path]) -> None:
    sound, flow = read_fcs(files["sound"]), read_fcs(files["integers-of-24-bits"])
    np.testing.assert_array_equal(flow.events, np.floor(sound.events.clip(0)))
    assert [r.done for r in flow.repairs] == ["decoded as integers of 3 bytes"]


def test_bits_above_the_range_are_cleared_and_told(tmp_path: Path, tool_module: Tool) -> None:
    tool = tool_module("broken_fcs")
    values = np.array([[5, 1023], [1024 + 7, 4096 + 9]], "<u2")
    keywords = {
        "$PAR": "2",
        "$TOT": "2",
        "$DATATYPE": "I",
        "$MODE": "L",
        "$BYTEORD": "1,2,3,4",
        "$NEXTDATA": "0",
    }
    for n in (1, 2):
        keywords |= {f"$P{n}B": "16", f"$P{n}E": "0,0", f"$P{n}R": "1000", f"$P{n}N": f"FL{n}"}
    path = tmp_path / "masked.fcs"
    path.write_bytes(tool.composed(keywords, values.tobytes()))
    flow = read_fcs(path)
    # Of a range of 1000 the ten bits below 1024 count.
    np.testing.assert_array_equal(flow.events, [[5, 1023], [7, 9]])
    assert any("2 values above their channel's range: FL1, FL2" in str(repair) for repair in flow.repairs)


@pytest.mark.parametrize(("mark", "dtype"), [("1,2,3,4", "<"), ("4,3,2,1", ">")])
@pytest.mark.parametrize("width", [1, 2, 4])
def test_logarithms_gain_and_time_are_undone(
    tmp_path: Path, tool_module: Tool, mark: str, dtype: str, width: int
) -> None:
    tool = tool_module("broken_fcs")
    values = np.array([[0, 10, 20], [64, 40, 30], [128, 80, 50]], f"{dtype}u{width}")
    keywords = {"$PAR": "3", "$TOT": "3", "$DATATYPE": "I", "$MODE": "L", "$BYTEORD": mark, "$NEXTDATA": "0"}
    for n, name in enumerate(("FL1", "FL2", "Time"), 1):
        keywords |= {f"$P{n}B": str(8 * width), f"$P{n}R": "256", f"$P{n}N": name, f"$P{n}E": "0,0"}
    keywords |= {"$P1E": "4,0.1", "$P2G": "8", "$P3G": "2", "$TIMESTEP": "0.5"}
    path = tmp_path / "log.fcs"
    path.write_bytes(tool.composed(keywords, values.tobytes()))
    flow = read_fcs(path)
    np.testing.assert_array_equal(flow.events, values)
    # Four decades from 0.1: half the range is two of them. Time has no gain.
    np.testing.assert_allclose(flow.scaled, [[0.1, 1.25, 10], [1.0, 5, 15], [10.0, 10, 25]])


def test_each_data_set_of_a_file_can_be_read(files: dict[str, Path]) -> None:
    first, second = (read_fcs(files["two-data-sets"], k) for k in (0, 1))
    assert (first.datasets, second.dataset, len(second.events)) == (2, 1, EVENTS // 2)
    np.testing.assert_array_equal(second.events, first.events[: EVENTS // 2])
    with pytest.raises(Refusal, match=r"no such data set \(found 2; allowed: 0 to 1\)"):
        read_fcs(files["two-data-sets"], 2)


def test_a_broken_data_set_behind_the_one_that_is_asked_for_is_told(
    files: dict[str, Path], tmp_path: Path
) -> None:
    content = files["two-data-sets"].read_bytes()
    second = content.index(b"FCS3.1", 10)
    path = tmp_path / "broken-behind.fcs"
    path.write_bytes(content[:second] + b"FCS9.9" + content[second + 6 :])
    first = read_fcs(path)
    assert len(first.events) == EVENTS
    assert any("data set 1: found version of FCS that is not read" in str(r) for r in first.repairs)
    with pytest.raises(Refusal, match="version of FCS that is not read"):
        read_fcs(path, 1)


@pytest.mark.parametrize("values", [None, 7], ids=["stumbles", "another number"])
def test_where_flowio_stumbles_the_log_says_so_and_no_event_moves(
    files: dict[str, Path], monkeypatch: pytest.MonkeyPatch, values: int | None
) -> None:
    sound = read_fcs(files["sound"])

    class Other:
        def __init__(self, *_: object, **__: object) -> None:
            if values is None:
                raise KeyError("$P1B")
            self.events = [0.0] * values

    monkeypatch.setattr(import_module("flowio"), "FlowData", Other)
    flow = read_fcs(files["sound"])
    np.testing.assert_array_equal(flow.events, sound.events)
    (repair,) = flow.repairs
    said = "FlowIO stumbles (KeyError)" if values is None else "FlowIO finds 7 values"
    assert said in repair.found and "decoded here" in repair.done


def test_what_flowio_reads_and_what_is_decoded_here_are_the_same(
    files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    by_flowio = read_fcs(files["sound"]).events
    monkeypatch.setattr(fcs_decode, "_by_flowio", lambda source, layout, log: None)
    np.testing.assert_array_equal(read_fcs(files["sound"]).events, by_flowio)


def test_a_lie_of_the_header_allocates_nothing(files: dict[str, Path]) -> None:
    import tracemalloc

    tracemalloc.start()
    for fault in ("header-of-2-GB", "total-of-2e9", "channels-of-1e9"):
        with pytest.raises(Refusal):
            read_fcs(files[fault])
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()


def test_a_missing_extra_is_named(files: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "flowio", None)
    with pytest.raises(Refusal, match=r"needs the lab extra.*pip install 'mesolung\[lab\]'"):
        read_fcs(files["sound"])


def test_a_synthetic_file_says_so(files: dict[str, Path]) -> None:
    flow = read_fcs(files["sound"])
    assert flow.synthetic
    assert "no cell was measured" in flow.metadata["MESOLUNG_SYNTHETIC"]
    assert flow.column("cd73") == flow.column("PE-A") == 4


def test_synthetic_lots_are_the_same_bytes_each_time(tmp_path: Path, tool_module: Tool) -> None:
    tool = tool_module("synthetic_lots")
    first, second = (tool.write_lots(tmp_path / name, 50) for name in ("a", "b"))
    assert len(first) == 6
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]


@pytest.mark.parametrize("row", STORED, ids=lambda row: f"{row['file']}:{row['dataset']}")
def test_real_files_are_read_as_before(shared: Path, row: dict[str, str]) -> None:
    path = shared / "samples" / row["file"]
    assert hashlib.sha256(path.read_bytes()).hexdigest()[:16] == row["sha256"], "another file of this name"
    flow = read_fcs(path, int(row["dataset"]))
    found = (flow.version, *(str(n) for n in flow.events.shape), str(len(flow.repairs)))
    assert found == (row["version"], row["events"], row["channels"], row["repairs"])
    assert hashlib.sha256(flow.events.astype("<f8").tobytes()).hexdigest()[:16] == row["events_sha256"]


@pytest.mark.parametrize("row", [r for r in STORED if r["dataset"] == "0"], ids=lambda row: row["file"])
def test_real_files_are_read_as_flowio_reads_them(shared: Path, row: dict[str, str]) -> None:
    flowio = pytest.importorskip("flowio")
    flow = read_fcs(shared / "samples" / row["file"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other = flowio.FlowData(
            str(flow.file), ignore_offset_error=True, ignore_offset_discrepancy=True, nextdata_offset=0
        )
    if other.events is None:
        assert {channel.bits for channel in flow.channels} == {24}, "FlowIO decodes no integers of 24 bits"
        return
    assert flow.names == tuple(other.pnn_labels)
    assert flow.labels == tuple(label.strip() for label in other.pns_labels)
    np.testing.assert_array_equal(flow.events.ravel(), np.asarray(other.events, dtype=float))
    if flow.timestep is not None or "$TIMESTEP" not in flow.metadata:
        np.testing.assert_allclose(flow.scaled, other.as_array(), rtol=1e-12)
