"""The studies that a validation is of: a user's own, or those that the package ships as evidence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mesolung.calibration.validation.folder import File, read_folder
from mesolung.reading import Refusal
from mesolung.study.catalogue import FOLDERS, entries, groups, place


def files_of(folder: Path | None, disease: str | None = None) -> tuple[str, list[File]]:
    """Find the studies that a validation is asked for.

    Arguments:
        folder: a folder of study files or one of them; else a part of the shipped evidence, as "usual-care";
            None for all of that.
        disease: only studies of that disease, alone or in a mixture; None for all.

    Returns:
        a name for the validation, and its studies; of those that are shipped, what each observation may be
        used for.

    Raises:
        Refusal: for a folder that is nowhere, a study file that is refused, or a disease that none has.
    """
    name, found = _found(folder)
    if disease is not None:
        known = sorted({other for file in found for other in file.study.disease_names})
        found = [file for file in found if disease in file.study.disease_names]
        if not found:
            raise Refusal("no study of this disease", found=disease, allowed=", ".join(known))
    return name, found


def _found(folder: Path | None) -> tuple[str, list[File]]:
    if folder is None:
        return "evidence", _with_groups(read_folder(place()))
    if folder.exists():
        found = read_folder(folder)
        inside = place().resolve() in (folder.resolve(), *folder.resolve().parents)
        return folder.resolve().stem, _with_groups(found) if inside else found
    if str(folder) in FOLDERS:
        return str(folder), _with_groups(read_folder(place() / folder))
    raise Refusal(
        "no such folder",
        found=folder,
        allowed=f"a folder of study files, one of them, or a part of the evidence: {', '.join(FOLDERS)}",
    )


def _with_groups(files: list[File]) -> list[File]:
    known = {one.name for one in entries()}
    found = []
    for file in files:
        name = file.key.rpartition("/")[2]
        used = dict(enumerate(groups(name))) if name in known else {}
        found.append(replace(file, used=used))
    return found
