"""What the fuzz tests of the quality files share: seeded mutations, and what a reader may do with them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from mesolung.reading import Refusal

ROOT = Path(__file__).resolve().parent.parent
SECONDS = float(os.environ.get("MESOLUNG_FUZZ_SECONDS", "20"))  # of each family of readers
SLOWEST = 10.0  # seconds of one file, on a busy machine
MOST_MEMORY = 400 << 20  # bytes that the peak may rise by
TOKENS = (
    *(b"0", b"-1", b"99999999", b"2147483648", b"1e308", b"-1e-308", b"nan", b"<", b"BLQ", b"ND", b"12,5"),
    *(b"1.234,5", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\n", b"\r", b"\t", b";", b",", b'"', b"|", b"||"),
    *(b"$PAR", b"$TOT", b"\xe4", b"12-Mar", b"#DIV/0!", b"%", b"CD73", b"A1", b"&lt;", b"<!ENTITY x 'y'>"),
)


def mutated(content: bytes, rng: np.random.Generator) -> bytes:
    """One to six faults in a file: changed, lost, doubled or foreign bytes, other digits, a cut."""
    for _ in range(int(rng.integers(1, 7))):
        size = len(content)
        if size == 0:
            return content
        # Half of the faults fall into the first part, where heads and keywords stand.
        reach = size if rng.random() < 0.5 else min(size, 3000)
        at = int(rng.integers(reach))
        length = int(rng.integers(1, 30))
        kind = int(rng.integers(8))
        if kind == 0:
            content = content[:at] + bytes([int(rng.integers(256))]) + content[at + 1 :]
        elif kind == 1:
            content = content[:at] + content[at + length :]
        elif kind == 2:
            content = content[:at] + content[at : at + length] + content[at:]
        elif kind == 3:
            token = TOKENS[int(rng.integers(len(TOKENS)))]
            content = content[:at] + token + content[at + (len(token) if rng.random() < 0.5 else 0) :]
        elif kind == 4 and rng.random() < 0.3:
            content = content[:at]
        elif kind == 5:
            digits = [i for i in range(at, min(at + 200, size)) if content[i : i + 1].isdigit()]
            for i in digits[: int(rng.integers(1, 9))]:
                content = content[:i] + b"%d" % rng.integers(10) + content[i + 1 :]
        elif kind == 6:
            other = int(rng.integers(reach))
            content = content[:at] + content[other : other + length] + content[at + length :]
        elif kind == 7:
            line = content.find(b"\n", at)
            after = content.find(b"\n", line + 1)
            if 0 <= line < after:
                content = content[:line] + content[after:] + content[line:after]
    return content


def samples(*names: str) -> list[bytes]:
    """Files of the shared samples, those that are there."""
    folder = Path(os.environ.get("MESOLUNG_SHARED", ROOT.parent / "shared")) / "samples"
    return [(folder / name).read_bytes() for name in names if (folder / name).is_file()]


def fuzz(seeds: Sequence[bytes], read: Callable[[Path], object], folder: Path, name: str) -> int:
    """Read mutated files for the given time: each is read or refused, in bounded time and memory.

    Returns:
        how many files were read or refused.
    """
    resource = pytest.importorskip("resource")
    rng = np.random.Generator(np.random.Philox(key=sum(name.encode())))
    path = folder / f"fuzzed-{name}"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    start = time.monotonic()
    done = accepted = 0
    while time.monotonic() - start < SECONDS:
        content = mutated(seeds[done % len(seeds)], rng)
        path.write_bytes(content)
        began = time.monotonic()
        try:
            read(path)
            accepted += 1
        except Refusal as refusal:
            text = str(refusal)
            assert text and "\n" not in text
        except Exception as error:
            kept = folder / f"crash-{name}"
            kept.write_bytes(content)
            raise AssertionError(f"{name}, file {done}: {error!r}; kept as {kept}") from error
        assert time.monotonic() - began < SLOWEST, f"{name}, file {done}: too slow"
        done += 1
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
    assert grown < MOST_MEMORY, f"{name}: the peak of memory rose by {grown >> 20} MB"
    assert accepted, "no mutated file was read: the mutations are too rough to test more than the door"
    return done
