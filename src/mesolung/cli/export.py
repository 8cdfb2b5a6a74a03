"""`mesolung export`: the model for other tools, and its picture."""

from __future__ import annotations

from pathlib import Path

from mesolung.reading import Refusal
from mesolung.writing import whole_file


def export_file(form: str, disease: str, group: str | None, out: Path) -> None:
    """Write the model into a file.

    Arguments:
        form: "sbml", "antimony" or "svg".
        disease: whose drivers are written in (sbml, antimony) or marked (svg).
        group: a group of the disease; None for the largest (sbml, antimony), or for all of them (svg).
        out: the file to make.

    Raises:
        Refusal: for an unknown disease or group, or a file that exists or cannot be written.
        NotWritten: when the disk is full.
    """
    from mesolung.biology.disease import diseases

    if disease not in diseases():
        raise Refusal("unknown disease", found=disease, allowed=", ".join(diseases()))
    # Opened before the model is assembled, so that an existing file is refused first.
    with whole_file(out) as place:
        place.write_text(_text(form, disease, group), encoding="utf-8", newline="\n")


def _text(form: str, disease: str, group: str | None) -> str:
    if form == "svg":
        from mesolung.biology.pathway import pathway_map

        return pathway_map(disease, group)
    from mesolung.biology.export import antimony_of, sbml_of

    return sbml_of(disease, group) if form == "sbml" else antimony_of(disease, group)
