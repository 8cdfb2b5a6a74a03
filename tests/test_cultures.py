"""Cultures: the compiled model answers assays, with and without the product, and says what it cannot."""

import json
from pathlib import Path

import numpy as np
import pytest

from mesolung.biology.assays import all_that_fit, assays, first_that_fits, says
from mesolung.study import read_study, run
from mesolung.study.catalogue import entries
from mesolung.study.cultured import well_of
from mesolung.study.modelled import not_modelled
from mesolung.study.result import json_text, write_run_folder
from mesolung.study.run import run_study

DRAWS = 16
HEAD = 'schema = 1\nname = "T cells"\nkind = "in-vitro"\nduration = "5 d"\norigin = "injury"\n'
ASSAY = '[assay]\nresponder = "T (PBMC)"\nstimulus = "CD3/CD28"\nratio = "{ratio}"\ncontact = "{contact}"\n'
ARMS = (
    '[[arm]]\nname = "without"\nsize = 3\ncontrol = true\n'
    '[[arm]]\nname = "with"\nsize = 3\n[[arm.treatment]]\nproduct = {{ type = "{type}" }}\n'
)
SEEN = (
    '[[observation]]\narm = "with"\nendpoint = "{endpoint}"\ntime = "5 d"\nversus = "without"\n'
    'direction = "lower"\n'
)


@pytest.fixture(scope="module", autouse=True)
def few_draws():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "DRAWS_AT_LEAST", DRAWS)
        yield


def study(folder: Path, *, ratio="1:10", contact="contact", type="cells", endpoint="t_cell_proliferation"):
    file = folder / "assay.toml"
    text = HEAD + ASSAY.format(ratio=ratio, contact=contact) + ARMS.format(type=type)
    file.write_text(text + SEEN.format(endpoint=endpoint), encoding="utf-8")
    return read_study(file)


def expected(result) -> float:
    (entry,) = result.json["arms"]["with"].values()
    return entry["expected"]["p50"]


def test_more_product_leaves_less_division_and_none_leaves_all(tmp_path):
    found = [
        expected(run_study(study(tmp_path, ratio=ratio), replicates=DRAWS))
        for ratio in ("1:1", "1:10", "1:100")
    ]
    assert found[0] < found[1] < found[2] < 100.0
    result = run_study(study(tmp_path), replicates=DRAWS)
    (control,) = result.json["arms"]["without"].values()
    assert control["expected"] == {"p05": 100.0, "p50": 100.0, "p95": 100.0}


def test_a_membrane_leaves_soluble_factors_only(tmp_path, monkeypatch):
    # The difference is small beside that between lots: the median takes more of them.
    many = 4 * DRAWS
    monkeypatch.setattr(run, "DRAWS_AT_LEAST", many)
    touch = expected(run_study(study(tmp_path), replicates=many))
    apart = expected(run_study(study(tmp_path, contact="transwell"), replicates=many))
    assert touch < apart < 100.0


@pytest.mark.parametrize("type", ["vehicle", "heat-killed-cells", "control-cells"])
def test_what_gives_nothing_off_changes_nothing(tmp_path, type):
    assert expected(run_study(study(tmp_path, type=type), replicates=DRAWS)) == pytest.approx(100.0, abs=1e-6)


def test_vesicles_raise_no_kynurenine(tmp_path):
    result = run_study(study(tmp_path, type="ev", endpoint="ido_activity"), replicates=DRAWS)
    assert expected(result) == pytest.approx(100.0, abs=1e-6)
    cells = run_study(study(tmp_path, endpoint="ido_activity"), replicates=DRAWS)
    assert expected(cells) > 100.0


def test_helper_cells_that_are_alone_turn_regulatory_by_touch_and_unseparated_ones_without(tmp_path):
    found = {}
    for responder in ("CD4+", "PBMC"):
        for contact in ("contact", "transwell"):
            file = tmp_path / "assay.toml"
            made = HEAD + ASSAY.format(ratio="1:10", contact=contact).replace("T (PBMC)", responder)
            made = made.replace('stimulus = "CD3/CD28"\n', "") + ARMS.format(type="cells")
            file.write_text(made + SEEN.format(endpoint="treg_induction"), encoding="utf-8")
            found[responder, contact] = expected(run_study(read_study(file), replicates=DRAWS)) - 100.0
    assert found["CD4+", "contact"] > 1.0 and found["PBMC", "contact"] > 1.0
    assert found["CD4+", "transwell"] < 0.1 * found["CD4+", "contact"]
    assert found["PBMC", "transwell"] > 0.5 * found["PBMC", "contact"]


def test_medium_holds_kynurenine_only_of_cells_that_met_interferon_gamma(tmp_path):
    def read(name: str) -> float:
        file = tmp_path / "assay.toml"
        text = HEAD + ASSAY.format(ratio="1:10", contact="medium") + ARMS.format(type="conditioned-medium")
        text = (text + SEEN.format(endpoint="ido_activity")).replace('"with"', f'"{name}"')
        file.write_text(text, encoding="utf-8")
        (line,) = run_study(read_study(file), replicates=DRAWS).json["arms"][name].values()
        return line["expected"]["p50"]

    assert read("medium") == read("medium, inflammatory stimuli") == pytest.approx(100.0, abs=1e-6)
    assert read("medium, IFN-g") > 200.0


def test_the_same_seed_gives_the_same_result_and_a_folder(tmp_path):
    one = run_study(study(tmp_path), replicates=DRAWS)
    two = run_study(study(tmp_path), replicates=DRAWS, workers=2)
    assert json_text(one.json) == json_text(two.json)
    (tmp_path / "folder").mkdir()
    write_run_folder(one, tmp_path / "folder")
    said = json.loads(json_text(one.json))
    (observation,) = said["observations"]
    assert observation["p_lower"] + observation["p_none"] + observation["p_higher"] == pytest.approx(1.0)
    assert set(said["assumed_inputs"]) == {"culture.wells", "culture.density"}


def test_every_shipped_assay_is_answered_or_says_why():
    shipped = [entry for entry in entries() if entry.folder == "in-vitro"]
    answered = 0
    for entry in shipped:
        made = read_study(entry.path)
        reasons = not_modelled(made)
        answered += len(made.observations) - len(reasons)
        assert all(reasons.values())
        for arm in made.arms:
            assert well_of(made, arm).responder.cells
    assert len(shipped) >= 32 and answered >= 44


def test_every_planned_reading_of_a_culture_has_a_line():
    asked = {
        one.endpoint
        for entry in entries()
        if entry.folder == "in-vitro"
        for one in read_study(entry.path).observations
    }
    assert asked <= set(assays().readouts)


def test_a_well_holds_those_that_are_named_and_their_company():
    found = first_that_fits(assays().responders, ["T (PBMC)"])
    alone = first_that_fits(assays().responders, ["purified CD4+"])
    assert found is not None and set(found.company) == {"phagocytes", "NK cells"}
    assert alone is not None and alone.kind == found.kind and not alone.company
    assert assays().culture["trace"] < min(found.company.values())


def test_words_are_whole_words():
    assert says("T (PBMC)", "T") and not says("Treg", "T")
    assert says("MSC BM, IFN-g", "IFN-g") and not says("IFN-gamma", "IFN-g")
    alone = all_that_fit(assays().conditions, "MSC BM, B, no IFN-g, contact")
    assert [dict(part.set) for part in alone] == [{"make_IFNG": 0.0}]
    found = first_that_fits(assays().responders, ["pre-activated NK"])
    assert found is not None and found.name == "NK cells"


def test_numbers_of_the_table_are_of_a_well():
    table = assays().culture
    assert table["ratio"][0] < table["ratio"][1] <= 1.0
    assert np.isclose(table["lung_fluid_L"] / table["fluid_L_per_Gcell"], 0.33)
    for key in table:
        if f"{key}_why" in table:
            assert str(table[f"{key}_why"]).startswith(("assumed: ", "derived: ", "seen: ", "definition: "))
