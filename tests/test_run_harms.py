"""Harms and labels of given cells can be asked for in a study file, and come out as what they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.study_text import cells_arm, control_arm

from mesolung.study import read_study, run
from mesolung.study.run import run_study

REPLICATES = 5
HARMS = ("thromboembolism", "infusion_reaction", "fever", "donor_specific_antibody")
LABELS = ("label_lung", "label_blood", "label_liver", "label_spleen", "donor_dna_lung")


@pytest.fixture(scope="module", autouse=True)
def no_more_draws_than_replicates() -> Iterator[None]:
    """A library of the draws that are looked at and no others."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "DRAWS_AT_LEAST", REPLICATES)
        yield


@pytest.fixture(scope="module")
def arms(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    asked = "".join(f'[[endpoint]]\nname = "{n}"\ntime = "28 d"\n' for n in HARMS)
    asked += "".join(f'[[endpoint]]\nname = "{n}"\ntime = "1 d"\n' for n in LABELS)
    file: Path = tmp_path_factory.mktemp("harms") / "harms.toml"
    file.write_text(
        'schema = 1\nname = "harms"\ndisease = "healthy"\nduration = "28 d"\n[population]\nsize = 40\n'
        + cells_arm(size=20)
        + control_arm("none", size=20)
        + asked,
        encoding="utf-8",
    )
    found = run_study(read_study(file), replicates=REPLICATES, workers=1).json
    assert found["failed_subjects"] == 0
    return found["arms"]


def expected(arm: dict[str, Any], key: str) -> float:
    return float(arm[key]["expected"]["p50"])


@pytest.mark.parametrize("harm", HARMS)
def test_a_harm_is_a_probability_and_cells_do_not_lower_it(arms: dict[str, Any], harm: str) -> None:
    key = f"{harm}@28d"
    cells, none = (expected(arms[name], key) for name in ("cells", "none"))
    assert 0.0 <= none <= cells < 1.0
    for arm in arms.values():
        assert 0.0 <= arm[key]["mean"] <= 1.0


def test_who_is_given_no_cells_has_no_harm_of_them(arms: dict[str, Any]) -> None:
    for harm in ("infusion_reaction", "donor_specific_antibody"):
        assert expected(arms["none"], f"{harm}@28d") == pytest.approx(0.0, abs=1e-9)
        assert expected(arms["cells"], f"{harm}@28d") > 0.0


def test_labels_are_shares_of_what_was_given(arms: dict[str, Any]) -> None:
    given = {name: arms["cells"][f"{name}@1d"]["mean"] for name in LABELS}
    assert all(0.0 <= value <= 1.0 for value in given.values())
    assert sum(given[name] for name in LABELS if name.startswith("label")) <= 1.0 + 1e-6
    assert given["label_lung"] > given["label_liver"] > given["label_blood"]
    for name in LABELS:
        assert arms["none"][f"{name}@1d"]["mean"] == pytest.approx(0.0, abs=1e-6)
