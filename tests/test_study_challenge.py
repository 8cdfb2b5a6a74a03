"""Endotoxin given to volunteers, and virus in samples: what published files observed is predicted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mesolung.biology.specimens import specimens
from mesolung.biology.tables import definitions
from mesolung.calibration.volunteers import Challenge, mean_course, volunteers
from mesolung.population import library
from mesolung.study import Study, read_study, run
from mesolung.study.challenged import is_sham
from mesolung.study.modelled import modelled_part, not_modelled
from mesolung.study.run import prepare, run_study

DRAWS, COURSES = 4, 120
HEAD = """schema = 1
name = "volunteers"
disease = "{disease}"
origin = "{origin}"
duration = "{duration}"
"""
LPS = '[[injury]]\nagent = "lps"\nroute = "{route}"\namount = "{amount}"\nstart = "{start}"\n{end}'
ARM = '[[arm]]\nname = "{name}"\nsize = 20\n{more}\n'
MEAN = """[[observation]]
arm = "{arm}"
endpoint = "{endpoint}"
time = "{time}"
mean = 100.0
sd = 50.0
unit = "{unit}"
n = 20
"""


@pytest.fixture(scope="module", autouse=True)
def small_library():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(library, "COURSES_PER_DRAW", COURSES)
        patch.setattr(run, "DRAWS_AT_LEAST", DRAWS)
        yield


@pytest.fixture
def study_of(tmp_path: Path):
    def read(text: str) -> Study:
        file = tmp_path / "study.toml"
        file.write_text(text, encoding="utf-8")
        return read_study(file)

    return read


def lps(amount: str = "2 ng/kg", route: str = "intravenous", start: str = "0 h", end: str = "") -> str:
    return LPS.format(amount=amount, route=route, start=start, end=f'end = "{end}"\n' if end else "")


def asked(times: tuple[str, ...], arm: str = "volunteers") -> str:
    return "".join(MEAN.format(arm=arm, endpoint="tnf", time=time, unit="pg/mL") for time in times)


def healthy(injuries: str, body: str, disease: str = "healthy", origin: str = "injury") -> str:
    return HEAD.format(disease=disease, origin=origin, duration="8 h") + injuries + body


def test_volunteers_answer_endotoxin_as_those_of_the_calibration(study_of) -> None:
    times = ("0 h", "1.5 h", "3 h", "6 h")
    bolus = study_of(healthy(lps(), ARM.format(name="volunteers", more="") + asked(times)))
    assert not_modelled(bolus) == {} and modelled_part(bolus) is bolus
    result = run_study(bolus, replicates=DRAWS, seed=3)
    shown = [one["p50"] for one in result.json["observations"]]
    setting = prepare(bolus, replicates=DRAWS)
    group = volunteers(setting.model, setting.draws, 40, Challenge(2.0, 0.0, 0.0), workers=1)
    assert group is not None
    own = mean_course(group, "tnf", np.array([0.0, 1.5, 3.0, 6.0]))
    assert shown == pytest.approx(own.tolist(), rel=0.25)
    assert shown[1] > 10 * shown[0] and shown[1] > 2 * shown[2] > 4 * shown[3]


def test_doses_and_infusions_of_an_arm_are_its_own(study_of) -> None:
    own = '[arm.injury]\nagent = "lps"\nroute = "intravenous"\namount = "{}"\nstart = "0 h"\n'
    infused = own.format("2 ng/kg") + 'end = "4 h"\n'
    text = healthy(
        lps("150 ng"),
        ARM.format(name="volunteers", more="")
        + ARM.format(name="per kg", more=own.format("0.002 ug/kg"))
        + ARM.format(name="infused", more=infused)
        + ARM.format(name="sham", more='injury = "none"')
        + "".join(asked(("1.5 h",), arm) for arm in ("volunteers", "per kg", "infused", "sham")),
    )
    result = run_study(study_of(text), replicates=DRAWS, seed=3)
    each, per_kg, infused_tnf, sham = (one["p50"] for one in result.json["observations"])
    assert each == pytest.approx(per_kg, rel=0.3)  # 150 ng is 2 ng/kg of 75 kg
    assert per_kg > 3 * infused_tnf > 3 * sham
    without = study_of(text.replace('injury = "none"', ""))  # of the study's own 150 ng
    assert is_sham(study_of(text), "sham") and not is_sham(without, "sham")


@pytest.mark.parametrize(
    ("injuries", "disease", "why"),
    [
        (lps(route="intratracheal"), "healthy", "experimental injuries"),
        (lps(amount="unknown"), "healthy", "unknown amount"),
        (lps(start="-1 h"), "healthy", "before the study's origin"),
        (lps(), "sepsis", "experimental injuries"),
        (lps() + '[[injury]]\nagent = "acid"\namount = "1 mL/kg"\n', "healthy", 'injury by "acid"'),
    ],
)
def test_what_is_not_served_says_why(study_of, injuries: str, disease: str, why: str) -> None:
    study = study_of(healthy(injuries, ARM.format(name="volunteers", more="") + asked(("1 h",)), disease))
    assert why in not_modelled(study)[0] and modelled_part(study) is None


VIRUS = """[[observation]]
arm = "patients"
endpoint = "{endpoint}"
time = "{time}"
{said}
"""


def test_virus_of_samples_is_a_share_of_the_model_s_and_counts_from_onset(study_of) -> None:
    median = 'median = 1e5\niqr = [1e4, 1e6]\nunit = "copies/mL"\nn = 12'
    names = ("viral_load_sputum", "viral_load_swab", "viral_load_saliva", "viral_load")
    text = HEAD.format(disease="covid19-ards", origin="onset", duration="30 d")
    text += ARM.format(name="patients", more="")
    text += "".join(VIRUS.format(endpoint=name, time="2 d", said=median) for name in names)
    text += VIRUS.format(endpoint="virus_found_swab", time="2 d", said="events = 11\nn = 12")
    text += VIRUS.format(endpoint="virus_found_swab", time="28 d", said="events = 1\nn = 12")
    text += VIRUS.format(endpoint="viral_titre_swab", time="2 d", said=median.replace("copies", "PFU"))
    study = study_of(text)
    assert not_modelled(study) == {6: 'endpoint "viral_titre_swab" waits for infectious virus in the model'}
    result = run_study(study, replicates=DRAWS, seed=3)
    rows, assumed = result.json["observations"], result.manifest["assumed_inputs"]
    delay = next(line for line in assumed if line["name"] == "onset_to_enrolment")
    assert delay["value"] == 0.0 and "followed from the onset" in delay["why"]
    sputum, swab, saliva, plain = (rows[k]["p50"] for k in range(4))
    assert sputum == plain > 1e4
    assert swab == pytest.approx(specimens()["viral_load_swab"].share * plain, rel=1e-6)
    assert saliva == pytest.approx(specimens()["viral_load_saliva"].share * plain, rel=1e-6)
    # Everybody is followed from onset on, so that its second day has all twelve; four weeks later few shed.
    assert rows[4]["p50"] >= 11 > 6 > rows[5]["p50"]
    assert definitions()["virus_found_swab", "covid19-ards"][0].above == 100.0
