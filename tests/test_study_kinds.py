"""Every kind of study of the format is read, in base units: what injures, what is given and measured."""

from __future__ import annotations

from typing import get_args

import pytest

from mesolung.reading import Refusal
from mesolung.study import Study, inputs_sha256, read_study
from mesolung.study.arm import Route
from mesolung.study.population import Inclusion
from mesolung.study.possible import animals, endpoint_where, possible_traits

HEAD = 'schema = 1\nname = "one"\nduration = "{duration}"\nkind = "{kind}"\n'
ARM = '[[arm]]\nname = "one"\nsize = 6\n'
ASKED = '[[endpoint]]\nname = "{endpoint}"\ntime = "{time}"\n'


@pytest.fixture
def study_of(tmp_path):
    """Read a study from text."""

    def read(content: str) -> Study:
        path = tmp_path / "study.toml"
        path.write_text(content, encoding="utf-8")
        return read_study(path)

    return read


def mouse(*tables: str, top: str = "", endpoint: str = "bal_neutrophil_count", time: str = "24 h") -> str:
    """A mouse experiment with some tables before its endpoint."""
    head = HEAD.format(duration="7 d", kind="animal") + 'disease = "lps"\nspecies = "mouse"\n' + top
    return "\n".join([head, *tables, ASKED.format(endpoint=endpoint, time=time)])


INJURY = '[injury]\nagent = "lps"\namount = "5 mg/kg"\nroute = "intratracheal"\nstart = "-4 h"\nend = "0 h"\n'


def test_an_injury_is_read_in_a_unit_of_its_agent(study_of) -> None:
    study = study_of(mouse(INJURY, ARM))
    (one,) = study.injury
    assert (one.agent, one.amount, one.unit, one.route) == ("lps", 5000.0, "ug/kg", "intratracheal")
    assert (one.start_h, one.end_h) == (-4.0, 0.0)
    assert study.arms[0].injury == study.injury and not study.arms[0].has_own_injury


def test_an_arm_may_have_no_injury_another_or_several(study_of) -> None:
    arms = [
        '[[arm]]\nname = "sham"\nsize = 6\ninjury = "none"',
        '[[arm]]\nname = "ill"\nsize = 6',
        '[[arm]]\nname = "worse"\nsize = 6\n[arm.injury]\nagent = "lps"\namount = "unknown"',
        '[[arm]]\nname = "both"\nsize = 6\ninjury = [{ agent = "oxygen", amount = "100 %" }, '
        '{ agent = "clp", start = "48 h" }]',
    ]
    study = study_of(mouse(INJURY, *arms))
    sham, ill, worse, both = study.arms
    assert sham.injury == () and sham.has_own_injury
    assert ill.injury == study.injury
    assert [(one.agent, one.amount) for one in worse.injury] == [("lps", None)]
    assert [(one.agent, one.start_h) for one in both.injury] == [("oxygen", 0.0), ("clp", 48.0)]
    assert both.injury[0].amount == 1.0 and both.injury[0].unit == "fraction"
    assert len({inputs_sha256(study_of(mouse(INJURY, arm))) for arm in arms}) == 4


def test_a_sham_is_no_control_of_the_ill(study_of) -> None:
    arms = ['[[arm]]\nname = "sham"\nsize = 6\ninjury = "none"', '[[arm]]\nname = "ill"\nsize = 6']
    study = study_of(mouse(INJURY, *arms))
    assert study.control is not None and study.control.name == "ill"
    alone = study_of(mouse(INJURY, arms[0]))
    assert alone.control is not None and alone.control.name == "sham"
    many = study_of(mouse(INJURY, *arms, '[[arm]]\nname = "other"\nsize = 6'))
    assert many.control is None


@pytest.mark.parametrize(
    ("product", "dose", "expected", "unit"),
    [
        ('type = "ev"', "3e10 particles", 3e10, "particles"),
        ('type = "ev", source = "umbilical cord"', "30 ug", 30.0, "ug"),
        ('type = "ev"', "2 mg/kg", 2000.0, "ug/kg"),
        ('type = "ev"', "1e6 cell-equivalents", 1e6, "cell-equivalents"),
        ('type = "conditioned-medium"', "300 uL", 0.3, "mL"),
        ('type = "apoptotic-cells"', "1e6 cells", 1e6, "cells"),
        ('type = "heat-killed-cells"', "1e6 cells/kg", 1e6, "cells/kg"),
        ('type = "control-cells"', "750 kcell", 7.5e5, "cells"),
        ('type = "drug", name = "dexamethasone"', "200 ug", 0.2, "mg"),
        ('type = "drug", name = "pirfenidone"', "30 mg/kg", 30.0, "mg/kg"),
        ('type = "drug", name = "tocilizumab"', "100 mg/m2", 100.0, "mg/m2"),
    ],
)
def test_every_product_has_its_own_units(study_of, product, dose, expected, unit) -> None:
    treatment = (
        f'[[arm.treatment]]\nproduct = {{ {product} }}\ndose = "{dose}"\nroute = "intraperitoneal"\n'
        'times = ["-1 h", "4 h"]\n'
    )
    (given,) = study_of(mouse(INJURY, ARM, treatment)).arms[0].treatments
    assert given.dose == pytest.approx(expected) and given.dose_unit == unit
    assert (given.route, given.times_h) == ("intraperitoneal", (-1.0, 4.0))


@pytest.mark.parametrize("route", [*get_args(Route), "unknown"])
def test_every_route_is_read(study_of, route: str) -> None:
    drug = ' type = "drug", name = "dexamethasone" '
    product, dose = (drug, "6 mg") if route == "oral" else ("", "1e6 cells")
    treatment = (
        f'[[arm.treatment]]\nproduct = {{{product}}}\ndose = "{dose}"\nroute = "{route}"\ntimes = "unknown"\n'
    )
    (given,) = study_of(mouse(INJURY, ARM, treatment)).arms[0].treatments
    assert given.route == route and given.times_h == ()


def test_animals_have_weights_and_ages_of_their_species(study_of) -> None:
    table = (
        '[population.baseline]\nweight = { mean = 22, sd = 2, unit = "g" }\nage = "8 week"\nfemale = 1.0\n'
    )
    line = study_of(mouse(INJURY, table, ARM)).population.baseline
    assert line["weight"].mean == pytest.approx(0.022) and line["age"].mean == pytest.approx(56 / 365.25)
    heavy = table.replace('mean = 22, sd = 2, unit = "g"', 'mean = 82, sd = 17, unit = "kg"')
    with pytest.raises(Refusal, match="weight: impossible mean"):
        study_of(mouse(INJURY, heavy, ARM))
    with pytest.raises(Refusal, match="has no value at enrolment"):
        study_of(mouse(INJURY, "[population.baseline]\nsofa = 7\n", ARM))
    for species, animal in animals().items():
        assert possible_traits(("lps",), species, "animal")["weight"].highest == animal.heaviest_kg


@pytest.mark.parametrize(
    "endpoint", ["sofa", "sgrq", "six_minute_walk", "t_cell_inhibition", "cytokine_storm"]
)
def test_what_an_animal_cannot_have_is_refused(study_of, endpoint: str) -> None:
    with pytest.raises(Refusal, match="lps of the mouse cannot have this endpoint"):
        study_of(mouse(INJURY, ARM, endpoint=endpoint))


@pytest.mark.parametrize(
    ("name", "disease", "species", "kind", "there"),
    [
        ("mortality", "lps", "rat", "animal", True),
        ("mortality", "lps", "rat", "in-vitro", False),
        ("collagen", "bleomycin", "mouse", "animal", True),
        ("collagen", "ipf", "human", "trial", False),
        ("wet_dry", "lps", "human", "ex-vivo", True),
        ("fluid_clearance_rate", "healthy", "human", "in-vitro", True),
        ("fev1", "copd", "human", "trial", True),
        ("bacterial_load", "bleomycin", "mouse", "animal", False),
        ("acute_exacerbation_ipf", "copd", "human", "trial", False),
        ("no_such_thing", "copd", "human", "trial", False),
    ],
)
def test_which_endpoint_can_be_of_whom(name, disease, species, kind, there) -> None:
    assert (endpoint_where(name, (disease,), species, kind) is not None) == there


def test_bounds_of_patients_are_none_of_animals(study_of) -> None:
    seen = '[[observation]]\narm = "one"\nendpoint = "compliance"\ntime = "48 h"\nmean = 0.04\nse = 0.01\n'
    (found,) = study_of(mouse(INJURY, ARM, seen)).observations
    assert found.mean == 0.04
    share = seen.replace('"compliance"', '"bal_neutrophils"').replace("0.04", "140")
    with pytest.raises(Refusal, match="impossible mean of bal_neutrophils"):
        study_of(mouse(INJURY, ARM, share))


CULTURE = HEAD.format(duration="6 d", kind="in-vitro") + (
    '[assay]\nresponder = "CD4+ T cells"\nstimulus = "CD3/CD28 beads"\ncontact = "contact"\n'
    '[[arm]]\nname = "T cells"\nsize = "unknown"\n'
    '[[arm]]\nname = "MSC"\nsize = 3\n'
    '[arm.assay]\nratio = "1:10"\ncontact = "transwell"\n'
    "[[arm.treatment]]\nproduct = {}\n" + ASKED.format(endpoint="t_cell_inhibition", time="6 d")
)


def test_a_culture_is_read_with_its_assay(study_of) -> None:
    study = study_of(CULTURE)
    assert study.disease == "healthy" and study.assay is not None and study.assay.ratio is None
    alone, treated = study.arms
    assert alone.assay == study.assay and alone.control
    assert treated.assay is not None
    assert (treated.assay.responder, treated.assay.contact) == ("CD4+ T cells", "transwell")
    assert treated.assay.ratio == pytest.approx(0.1)
    (given,) = treated.treatments
    assert (given.dose, given.route, given.times_h) == (None, None, (0.0,))
    same = study_of(CULTURE.replace('"1:10"', "0.1"))
    assert inputs_sha256(same) == inputs_sha256(study)
    assert study_of(CULTURE.replace('"1:10"', '"unknown"')).arms[1].assay.ratio is None  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('ratio = "1:10"', 'ratio = "1:0"', "ratio: not two numbers"),
        ('ratio = "1:10"', "ratio = -1", "impossible ratio"),
        ('ratio = "1:10"', 'ratio = "many"', "ratio: not two numbers"),
        ('contact = "transwell"', 'contact = "close"', "unknown contact"),
        (
            'responder = "CD4+ T cells"\nstimulus = "CD3/CD28 beads"\ncontact = "contact"\n',
            "",
            "an empty assay",
        ),
        ("t_cell_inhibition", "mortality", "healthy cannot have this endpoint"),
    ],
)
def test_a_culture_that_cannot_be_is_refused(study_of, old: str, new: str, words: str) -> None:
    assert old in CULTURE
    with pytest.raises(Refusal, match=words):
        study_of(CULTURE.replace(old, new, 1))


def test_a_lung_out_of_the_body_may_be_of_any_species(study_of) -> None:
    head = HEAD.format(duration="4 h", kind="ex-vivo") + 'disease = "e-coli-pneumonia"\nspecies = "{}"\n'
    given = (
        '[injury]\nagent = "e-coli"\namount = "1e9 CFU"\nroute = "endobronchial"\n'
        + ARM
        + "[[arm.treatment]]\n"
        'product = { source = "bone marrow" }\ndose = "5e6 cells"\nroute = "perfusate"\ntimes = ["2 h"]\n'
    )
    for species in ("human", "pig"):
        study = study_of(head.format(species) + given + ASKED.format(endpoint="evlw", time="4 h"))
        assert (study.species, study.arms[0].treatments[0].route) == (species, "perfusate")


CHRONIC = HEAD.format(duration="3 year", kind="trial") + 'disease = "{disease}"\n{tables}\n' + ARM


def test_chronic_disease_is_read_with_its_table_1_and_rules(study_of) -> None:
    tables = (
        '[population.baseline]\nage = { mean = 67, sd = 8, unit = "year" }\nfvc_percent_predicted = '
        '{ mean = 80, sd = 17, unit = "percent" }\nsmoker = 0.7\n[population.background]\nnintedanib = '
        '{ share = 0.5, dose = "150 mg", responder = 0.6 }\n[population.include]\n'
        'fvc_fall_12_months = "> 10 %"\nage = ">= 40 year"\nfvc_percent_predicted = ">= 50 %"\n'
    )
    text = CHRONIC.format(disease="ipf", tables=tables) + ASKED.format(endpoint="fvc_slope", time="1 year")
    study = study_of(text)
    assert study.population.include == (
        Inclusion(name="age", relation=">=", value=40.0, unit="year"),
        Inclusion(name="fvc_fall_12_months", relation=">", value=10.0, unit="percent"),
        Inclusion(name="fvc_percent_predicted", relation=">=", value=50.0, unit="percent"),
    )
    for lines in (study.population.baseline, study.arms[0].baseline):
        assert (lines["age"].min, lines["fvc_percent_predicted"].min) == (40.0, 50.0)
    care = study.population.background["nintedanib"]
    assert (care.dose, care.dose_unit, care.responder) == (150.0, None, 0.6)
    assert not study.arms[0].has_own_baseline


def test_a_rule_alone_is_a_bound_of_table_1(study_of) -> None:
    rule = '[population.include]\nsofa = "> 4"\nfemale = "= 1"\n'
    study = study_of(CHRONIC.format(disease="ards", tables=rule) + ASKED.format(endpoint="sofa", time="7 d"))
    assert study.population.baseline["sofa"].min == 4.0 and study.population.baseline["female"].share == 1.0


@pytest.mark.parametrize("origin", ["enrolment", "injury", "onset"])
def test_times_may_be_before_the_origin(study_of, origin: str) -> None:
    seen = '[[observation]]\narm = "one"\nendpoint = "il6"\ntime = "-2 d"\nvalue = 12\n'
    study = study_of(mouse(INJURY, ARM, seen, top=f'origin = "{origin}"\n'))
    assert study.observations[0].time_h == -48.0 and study.origin == origin


def test_counts_of_events_and_events_are_told_apart(study_of) -> None:
    both = (
        '[[observation]]\narm = "one"\nendpoint = "serious_adverse_event_count"\ntime = "28 d"\n'
        "event_count = 7\n"
        '[[observation]]\narm = "one"\nendpoint = "serious_adverse_event"\ntime = "28 d"\nevents = 4\nn = 6\n'
    )
    study = study_of(CHRONIC.format(disease="copd", tables="") + both)
    assert [(o.form, o.event_count, o.events) for o in study.observations] == [
        ("event_count", 7, None),
        ("events", None, 4),
    ]
