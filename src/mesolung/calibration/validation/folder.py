"""The studies of a folder, predicted one after the other; finished ones are not done again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter

from mesolung.calibration.validation.kept import keep, kept, key_of
from mesolung.calibration.validation.lines import Subject
from mesolung.calibration.validation.predicted import Predicted, base_setting, predict
from mesolung.execution import cache_folder
from mesolung.population.library import DRAWS_AT_LEAST, Library
from mesolung.population.posterior import Posterior, Source, draws_for, most_draws
from mesolung.product.priors import priors_hash
from mesolung.reading import Refusal
from mesolung.study import Study, read_study
from mesolung.study.asked import outputs_asked
from mesolung.study.canonical import canonical
from mesolung.study.memory import Memory
from mesolung.study.modelled import modelled_part, not_modelled
from mesolung.study.setting import Progress, Setting

STUDIES = "studies"
DRAWS = 100
# `--release`: every stored draw.
DRAWS_RELEASE = DRAWS_AT_LEAST
# What of a study tells nothing of its patients' courses.
MEASURED = ("name", "registry", "endpoints", "observations", "randomised", "blinded")
OF_AN_ARM = ("size", "ratio", "control")


@dataclass(frozen=True)
class File:
    """A study file.

    Attributes:
        key: its name without the ending, with the folders below the one that was named.
        study: what it says.
        used: index of an observation -> what it was used for in calibration.
    """

    key: str
    study: Study
    used: Mapping[int, str]


@dataclass(frozen=True, eq=False)
class Bench:
    """What several validations with the same options and other draws make once.

    Attributes:
        settings: of the first of them, with the compiled model; empty before it.
        libraries: opened ones by disease. They hold untreated courses, so that they serve all draws that
            differ only in what a treated body feels.
    """

    settings: list[Setting] = field(default_factory=list)
    libraries: dict[str, Library] = field(default_factory=dict)


def read_folder(folder: Path) -> list[File]:
    """Read all study files of a folder and of those below it.

    Arguments:
        folder: where they lie; a single file is its own folder.

    Returns:
        studies, sorted by name.

    Raises:
        Refusal: for a folder without a study file, and for the first file that is refused, with the number of
            the others.
    """
    if not folder.exists():
        raise Refusal("no such folder", file=folder, allowed="a folder of study files, or one study file")
    paths = [folder] if folder.is_file() else sorted(folder.rglob("*.toml"))
    if not paths:
        raise Refusal("holds no study file", file=folder, allowed="files that end in .toml")
    root = folder.parent if folder.is_file() else folder
    found, refused = [], []
    for path in paths:
        try:
            study = read_study(path)
        except Refusal as refusal:
            refused.append(refusal)
            continue
        found.append(File(path.relative_to(root).with_suffix("").as_posix(), study, {}))
    if refused:
        first = refused[0]
        more = f"; {len(refused) - 1} more files of the folder are refused" if len(refused) > 1 else ""
        raise Refusal(
            first.problem + more, file=first.file, line=first.line, found=first.found, allowed=first.allowed
        )
    return found


def predict_folder(
    files: Sequence[File],
    *,
    release: bool = False,
    draws: int | None = None,
    seed: int = 1,
    workers: int = 1,
    progress: Progress | None = None,
    place: Path | None = None,
    source: Source = "auto",
    own: Posterior | None = None,
    bench: Bench | None = None,
) -> tuple[list[Subject], dict[str, float]]:
    """Predict all studies, reading back those that were predicted before.

    Arguments:
        files: of a folder.
        release: every stored draw, and the larger number of subjects for expected values.
        draws: D; None for 100, or every stored one.
        seed, workers: of the runs.
        progress: called with (stage, done, total).
        place: where finished studies are kept; None for the user's cache.
        source, own: of the draws, as `mesolung.population.posterior.draws_for`.
        bench: what an earlier call with the same release, draws, seed and workers made, of draws that differ
            from these only in what a treated body feels; what is missing is added.

    Returns:
        the studies with their predictions, and seconds spent on each that was run now.
    """
    tell = progress or (lambda stage, done, total: None)
    stored = most_draws(source, own)
    count = draws or (stored or DRAWS_RELEASE if release else min(DRAWS, stored or DRAWS))
    place = place or cache_folder("validation")
    base: Setting | None = None
    bench = bench or Bench()
    memory = Memory()
    seconds: dict[str, float] = {}
    # Diseases one after the other, so that each library is opened once and stays warm; and studies of the
    # same patients, so that those are solved once.
    parts = [modelled_part(file.study) for file in files]
    alike = ["" if part is None else who_of(part) for part in parts]
    also: dict[str, set[str]] = {}
    for part, group in zip(parts, alike, strict=True):
        also.setdefault(group, set()).update(() if part is None else outputs_asked(part))
    order = sorted(range(len(files)), key=lambda i: (files[i].study.disease_names, alike[i], i))
    found: dict[int, Subject] = {}
    for done, i in enumerate(order):
        file = files[i]
        tell(STUDIES, done, len(files))
        part = parts[i]
        if part is None or not part.observations:
            nothing = Predicted({}, not_modelled(file.study), draws=count)
            found[i] = Subject(file.key, file.study, nothing, file.used)
            continue
        if base is None and bench.settings:
            made = bench.settings[0]
            base = replace(made, draws=draws_for(made.draws.count, priors_hash(), source, own=own))
        if base is None:
            base = base_setting(
                part,
                draws=count,
                seed=seed,
                workers=workers,
                release=release,
                progress=progress,
                source=source,
                own=own,
            )
            bench.settings.append(base)
        model = f"{base.model_hash}:{base.model.kernel_id}"
        # A posterior's name covers what it moved; what it left at the prior is named by the table's numbers.
        name = base.draws.posterior
        name = name if own is None else f"{name}:{own.manifest.get('parameters_numbers')}"
        path = place / f"{key_of(file.study, model, name, count, seed, release)}.npz"
        predicted = kept(path)
        if predicted is None:
            path.unlink(missing_ok=True)
            start = perf_counter()
            predicted = predict(
                file.study,
                base,
                release=release,
                libraries=bench.libraries,
                memory=memory,
                also=tuple(sorted(also[alike[i]])),
            )
            seconds[file.key] = perf_counter() - start
            keep(predicted, path)
        found[i] = Subject(file.key, part, predicted, file.used)
    tell(STUDIES, len(files), len(files))
    return [found[i] for i in range(len(files))], seconds


def who_of(study: Study) -> str:
    """Tell which patients a study has, and what becomes of them before anything is measured.

    Arguments:
        study: validated.

    Returns:
        equal texts for studies whose courses are the same, whatever they measure.
    """
    form = {key: value for key, value in canonical(study).items() if key not in MEASURED}
    form["population"] = {key: value for key, value in form["population"].items() if key != "size"}
    arms = [{k: v for k, v in arm.items() if k not in OF_AN_ARM} for arm in form["arms"].values()]
    form["arms"] = sorted({json.dumps(arm, sort_keys=True) for arm in arms})
    return json.dumps(form, sort_keys=True)
