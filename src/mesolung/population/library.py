"""The library of untreated disease courses: built once per posterior, kept in the user's cache."""

from __future__ import annotations

import errno
import json
import os
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from hashlib import blake2b, file_digest
from pathlib import Path
from typing import Any, BinaryIO
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.disease import Disease
from mesolung.engine import CompiledModel
from mesolung.population.courses import courses_of_draw
from mesolung.population.draws import TREATMENT_MODULES, Draws
from mesolung.population.events import stacked
from mesolung.population.traits import traits_hash
from mesolung.population.twice import HAZARD, LIBRARY_RTOL, solve_twice
from mesolung.reading import Refusal
from mesolung.writing import whole_folder

# Raised whenever a library made by other code, from the same tables and model, must not be read.
LAYOUT = "3"
# The one place that says how large a library is: 100,000 courses with 200 draws.
COURSES_PER_DRAW = 500
DRAWS_AT_LEAST = 200
DRAWS_AT_A_TIME = 4
LARGEST_FAILED_SHARE = 0.05
KEPT_A_DISEASE = 2
SPARED_S = 6 * 3600.0
CANNOT_WRITE = (
    errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.ENOENT, errno.ENAMETOOLONG,
)  # fmt: skip

Progress = Callable[[str, int, int], None]
# How an output is kept: as it is, or in half precision on a linear or logarithmic scale.
EXACT = "exact"
LOG = "log"
LARGEST_HALF = float(np.finfo(np.float16).max)


@dataclass(frozen=True)
class Library:
    """Untreated courses of one disease under one posterior.

    Attributes:
        folder: where its arrays lie.
        times: float64[T], hours since the start of the course, evenly spaced.
        failed: bool[D, C], courses that the solver could not finish.
        covariates: name -> float64[D, C].
        names: observables that were kept.
        scales: those of them that are kept in half precision -> the scale they are kept on.
        failures: draw, course, time (h), reason and what is suspected, of each failed course.
    """

    folder: Path
    times: NDArray[np.float64]
    failed: NDArray[np.bool_]
    covariates: Mapping[str, NDArray[np.float64]]
    names: tuple[str, ...]
    scales: Mapping[str, str]
    failures: tuple[Mapping[str, Any], ...]

    @property
    def courses(self) -> int:
        """Courses of each draw."""
        return self.failed.shape[1]

    def value(
        self,
        name: str,
        draw: NDArray[np.intp] | None = None,
        course: NDArray[np.intp] | None = None,
        step: NDArray[np.intp] | None = None,
    ) -> NDArray[np.float64]:
        """Read an observable or covariate.

        Arguments:
            name: one of ``names`` or ``covariates``.
            draw, course, step: intp[n] places; without them everything is returned.

        Returns:
            float64[n], or float64[D, C, T] (covariates repeat over time).

        Raises:
            KeyError: for a name that the library does not keep.
        """
        if name in self.covariates:
            values = np.broadcast_to(self.covariates[name][:, :, None], (*self.failed.shape, self.times.size))
        elif name in self.names:
            values = np.load(self.folder / f"{name}.npy", mmap_mode="r")
        else:
            raise KeyError(name)
        found = values if draw is None else values[draw, course, step]
        return _decoded(found, self.scales.get(name, EXACT))


def library_of(
    model: CompiledModel,
    disease: Disease,
    draws: Draws,
    observables: tuple[str, ...],
    *,
    cache: Path,
    workers: int,
    chunk: int,
    progress: Progress,
    coarse: Mapping[str, str] | None = None,
    courses: int = COURSES_PER_DRAW,
) -> Library:
    """Open the library of a disease, building it first when the cache does not hold it.

    Arguments:
        model: the compiled biology.
        disease: drivers, covariates and length of the course.
        draws: parameter draws.
        observables: model outputs to keep, beside the cumulative hazard ``HAZ``.
        cache: folder for libraries.
        workers, chunk: threads, and subjects that one takes at a time.
        progress: called with (stage, done, total).
        coarse: observables that half precision is enough for -> "linear" or "log", the scale on which they
            are then kept; the others are kept in single precision.
        courses: of each draw.

    Returns:
        the library.

    Raises:
        Refusal: when the cache folder cannot be written.
        RuntimeError: when more than 5 % of the courses fail.
    """
    names = (*observables, HAZARD)
    scales = {name: scale for name, scale in sorted((coarse or {}).items()) if name in observables}
    identity = "|".join(
        [
            *(LAYOUT, draws.key, str(draws.count), str(courses), repr(LIBRARY_RTOL)),
            *(model.kernel_id, disease.hash, _digest(draws), traits_hash(), *names, json.dumps(scales)),
        ]
    )
    folder = cache / f"{disease.name}-{blake2b(identity.encode(), digest_size=8).hexdigest()}"
    opened = _open(folder, names)
    if opened is None:
        shutil.rmtree(folder, ignore_errors=True)
        try:
            folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _build(model, disease, draws, names, scales, folder, workers, chunk, progress, courses)
        except Refusal:
            # Another run has built the same library meanwhile: theirs is as good as ours.
            if _open(folder, names) is None:
                raise
        except OSError as error:
            if error.errno not in CANNOT_WRITE:
                raise
            raise Refusal(
                "the cache folder cannot be written",
                found=f"{error.filename or folder.parent}",
                allowed="another folder, named by MESOLUNG_CACHE",
            ) from None
        opened = _open(folder, names)
        _forget_old(folder, disease.name)
    if opened is None:
        raise RuntimeError(f"the library of courses in {folder} cannot be read back")
    share = float(opened.failed.mean())
    if share > LARGEST_FAILED_SHARE:
        raise RuntimeError(
            f"{share:.1%} of the untreated courses of {disease.name} could not be solved (limit 5 %)"
        )
    return opened


def _checksum(file: Path) -> str:
    with file.open("rb") as stream:
        return file_digest(stream, "blake2b").hexdigest()


def _digest(draws: Draws) -> str:
    """What the untreated body's parameters are, so that a changed value has a library of its own."""
    digest = blake2b(digest_size=8)
    for name, values in sorted(draws.values.items()):
        row = draws.parameters[name]
        if row.module not in TREATMENT_MODULES:
            digest.update(f"{name}|{row.distribution}|{row.between_subject!r}|".encode())
            digest.update(values.tobytes())
    return digest.hexdigest()


def _forget_old(newest: Path, disease: str) -> None:
    """Remove all but the latest libraries of a disease: each is large, and each changed table makes one."""
    used = {}
    for other in newest.parent.glob(f"{disease}-{'[0-9a-f]' * 16}"):
        with suppress(OSError):
            used[other] = other.stat().st_mtime
    used.pop(newest, None)
    latest_first = sorted(used, key=lambda p: used[p], reverse=True)
    for old in latest_first[KEPT_A_DISEASE - 1 :]:
        # One that was opened lately may still be read by another run.
        if time.time() - used[old] > SPARED_S:
            shutil.rmtree(old, ignore_errors=True)


def _encoded(values: NDArray[np.float64], scale: str) -> NDArray[Any]:
    """Values as they are kept: float32, or float16, to 1 part in 2000 (of the logarithm: to 1 % at most)."""
    if scale == EXACT:
        return values.astype(np.float32)
    if scale == LOG:
        with np.errstate(divide="ignore", invalid="ignore"):
            values = np.log(np.maximum(values, 0.0))
        return values.astype(np.float16)
    return np.clip(values, -LARGEST_HALF, LARGEST_HALF).astype(np.float16)


def _decoded(kept: NDArray[Any], scale: str) -> NDArray[np.float64]:
    values = kept.astype(np.float64)
    return np.exp(values, out=values) if scale == LOG else values


def _build(
    model: CompiledModel,
    disease: Disease,
    draws: Draws,
    names: tuple[str, ...],
    scales: Mapping[str, str],
    folder: Path,
    workers: int,
    chunk: int,
    progress: Progress,
    courses: int,
) -> None:
    # Of a course of decades only the years in which somebody can be enrolled are kept.
    times = np.arange(disease.sampled_from_h, disease.length_h + 1e-9, disease.sampled_every_h)
    shape = (draws.count, courses)
    failed = np.zeros(shape, bool)
    told: list[dict[str, Any]] = []
    covariates: dict[str, NDArray[np.float64]] = {}
    with whole_folder(folder) as place:
        # Written as it is solved, draw after draw: a mapped file would count as memory of this process.
        with ExitStack() as stack:
            streams = {}
            for name in names:
                streams[name] = stack.enter_context((place / f"{name}.npy").open("wb"))
                kind = np.float16 if name in scales else np.float32
                _write_header(streams[name], np.dtype(kind), (*shape, times.size))
            for start in range(0, draws.count, DRAWS_AT_A_TIME):
                progress("library of courses", start, draws.count)
                block = range(start, min(start + DRAWS_AT_A_TIME, draws.count))
                made = [courses_of_draw(model, disease, draws, d, courses) for d in block]
                found, failures = solve_twice(
                    model,
                    np.concatenate([c.parameters for c in made]),
                    times,
                    None,
                    stacked([c.events for c in made], courses),
                    names,
                    workers=workers,
                    chunk=chunk,
                    rtol=LIBRARY_RTOL,
                )
                for k, name in enumerate(names):
                    streams[name].write(_encoded(found[..., k], scales.get(name, EXACT)).tobytes())
                for failure in failures:
                    draw, course = divmod(failure.subject, courses)
                    failed[start + draw, course] = True
                    told.append({**asdict(failure), "draw": start + draw, "course": course})
                for name in made[0].covariates:
                    covariates.setdefault(name, np.empty(shape))[block.start : block.stop] = np.stack(
                        [c.covariates[name] for c in made]
                    )
        stored: dict[str, Any] = {f"covariate_{k}": v for k, v in covariates.items()}
        np.savez(place / "subjects.npz", **{**stored, "times": times, "failed": failed})
        for one in told:
            del one["subject"]
        (place / "failures.json").write_text(json.dumps(told), encoding="utf-8")
        sums = {file.name: _checksum(file) for file in sorted(place.iterdir())}
        complete = {"names": names, "scales": scales, "sums": sums}
        (place / "complete.json").write_text(json.dumps(complete), encoding="utf-8")
    progress("library of courses", draws.count, draws.count)


def _write_header(stream: BinaryIO, dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, header)


def _open(folder: Path, names: tuple[str, ...]) -> Library | None:
    try:
        complete = json.loads((folder / "complete.json").read_text(encoding="utf-8"))
        kept = complete["names"]
        if any(_checksum(folder / name) != told for name, told in complete["sums"].items()):
            return None
        with np.load(folder / "subjects.npz") as stored:
            covariates = {
                k.removeprefix("covariate_"): stored[k] for k in stored.files if k.startswith("covariate_")
            }
            told = json.loads((folder / "failures.json").read_text(encoding="utf-8"))
            library = Library(
                folder,
                stored["times"],
                stored["failed"],
                covariates,
                tuple(kept),
                complete["scales"],
                tuple(told),
            )
        for name in names:
            np.load(folder / f"{name}.npy", mmap_mode="r")
        os.utime(folder)
    except (OSError, ValueError, KeyError, BadZipFile):
        return None
    return library
