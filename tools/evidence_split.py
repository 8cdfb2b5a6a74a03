"""Which observations may be fitted to: drawn once, by a hash of what they are of."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from evidence_study import Observation, Study

UNSEEN_PARTS = 3  # one of so many relations of animals and assays is kept from the tuner
DRAWN = ("animal", "ex-vivo", "in-vitro")
# A follow-up of patients of another file: both are left out together.
SAME_PATIENTS = {"huangshi-one-year-2022": "shu-2020"}
SPLIT_COLUMNS = ("study", "observation", "kind", "relation", "group", "key")


def group_of(study: Study, one: Observation) -> str:
    """Tell the group of an observation.

    Arguments:
        study: it stands in.
        one: the observation.

    Returns:
        "loo:STUDY" for a trial of cells or vesicles in humans, left out with all of its patients; "unseen"
        for a third of the relations of animals and assays; else "fit". A relation is an endpoint at a time
        in one study, whatever its arms, so that treated and control are never parted.
    """
    if study.folder == "trials":
        return f"loo:{SAME_PATIENTS.get(study.stem, study.stem)}"
    if study.head.get("kind") in DRAWN:
        digest = hashlib.sha256(f"{study.stem}/{one.relation}".encode()).digest()
        if int.from_bytes(digest[:8], "big") % UNSEEN_PARTS == 0:
            return "unseen"
    return "fit"


def split_rows(studies: Sequence[Study]) -> list[dict[str, str]]:
    """List every observation with its group.

    Arguments:
        studies: complete, sorted.

    Returns:
        rows of ``split.csv``.
    """
    return [
        {
            "study": study.stem, "observation": str(index), "kind": str(study.head.get("kind", "trial")),
            "relation": one.relation, "group": group_of(study, one), "key": one.key,
        }
        for study in studies
        for index, one in enumerate(study.observations)
    ]  # fmt: skip
