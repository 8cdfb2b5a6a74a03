"""Predictions of finished studies, kept so that a validation that was cut off goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from hashlib import blake2b
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from mesolung import __version__
from mesolung.biology.assays import assays_sha256
from mesolung.calibration.validation.predicted import MOST_SUBJECTS, Bases, Predicted
from mesolung.study.animal_endpoints import EXPERIMENTS
from mesolung.study.basis import Basis
from mesolung.study.canonical import inputs_sha256
from mesolung.study.experiment import rests_on
from mesolung.study.possible import IN_VITRO
from mesolung.study.study import Study
from mesolung.writing import whole_file

# Raised whenever predictions that other code made from the same inputs must not be read.
LAYOUT = "3"
PARTS = ("own", "control", "level")


def key_of(study: Study, model: str, posterior: str, draws: int, seed: int, release: bool) -> str:
    """Name what a study's predictions rest on.

    Arguments:
        study: validated.
        model: hash of the model's text and of the compiled kernel.
        posterior: name of the posterior.
        draws, seed, release: of the validation.

    Returns:
        32 hexadecimal digits; another study, model or setting gives another name.
    """
    parts = [LAYOUT, __version__, inputs_sha256(study), model, posterior, draws, seed, release, MOST_SUBJECTS]
    if study.kind in EXPERIMENTS:
        parts.append(json.dumps(rests_on(study), sort_keys=True))
    if study.kind == IN_VITRO:
        parts.append(assays_sha256())
    order = json.dumps([[o.index, o.form] for o in study.observations])
    return blake2b("|".join([*map(str, parts), order]).encode(), digest_size=16).hexdigest()


def keep(predicted: Predicted, path: Path) -> None:
    """Write a study's predictions to a file that appears whole or not at all.

    Arguments:
        predicted: of one study.
        path: the file to make; one that is there stays as it is.
    """
    if path.exists():
        return
    arrays: dict[str, Any] = {}
    sizes = {}
    for index, bases in predicted.bases.items():
        sizes[str(index)] = bases.sizes
        for part in PARTS:
            basis = getattr(bases, part)
            for name, value in _arrays(basis).items():
                arrays[f"{index}/{part}/{name}"] = value
    meta = {
        "not_modelled": {str(k): v for k, v in predicted.not_modelled.items()},
        "refused": predicted.refused,
        "draws": predicted.draws,
        "about": predicted.about,
        "sizes": sizes,
    }
    with whole_file(path) as place, place.open("wb") as stream:
        np.savez(stream, meta=np.array(json.dumps(meta)), **arrays)


def kept(path: Path) -> Predicted | None:
    """Read a study's predictions back.

    Arguments:
        path: of the file.

    Returns:
        the predictions; None where there are none, or the file is broken.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            meta = json.loads(str(stored["meta"]))
            found = {name: stored[name] for name in stored.files if name != "meta"}
    except (OSError, ValueError, KeyError, BadZipFile, EOFError):
        return None
    bases = {}
    for index, sizes in meta["sizes"].items():
        parts = {part: _basis(found, f"{index}/{part}/") for part in PARTS}
        bases[int(index)] = Bases(
            parts["own"] or Basis(), parts["control"], parts["level"], (float(sizes[0]), float(sizes[1]))
        )
    missing = {int(k): v for k, v in meta["not_modelled"].items()}
    return Predicted(bases, missing, meta["refused"], meta["draws"], meta["about"])


def _arrays(basis: Basis | None) -> dict[str, Any]:
    if basis is None:
        return {}
    found: dict[str, Any] = {"here": np.ones(1)}
    for one in fields(basis):
        value = getattr(basis, one.name)
        if isinstance(value, Mapping):
            found |= {f"{one.name}/{arm}": np.asarray(v) for arm, v in value.items()}
        elif np.size(value):
            found[one.name] = np.asarray(value)
    return found


def _basis(found: Mapping[str, Any], start: str) -> Basis | None:
    own = {name.removeprefix(start): value for name, value in found.items() if name.startswith(start)}
    if not own:
        return None
    orders = {n.removeprefix("orders/"): v for n, v in own.items() if n.startswith("orders/")}
    plain = {n: v for n, v in own.items() if "/" not in n and n != "here"}
    return Basis(**plain, orders=orders)
