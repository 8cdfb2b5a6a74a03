"""What a valid study file says is what the study holds, whatever the numbers, names and units."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesolung.study import Study, canonical, inputs_sha256, read_study
from mesolung.units import convert

TIME_UNITS = ("h", "min", "d", "week")
DOSE_UNITS = ("cells", "cells/kg", "cells/kg PBW")
ROUTES = ("intravenous", "intratracheal", "endobronchial")
NAMES = st.text(
    st.characters(categories=("L", "N", "P", "S"), include_characters=" "), min_size=1, max_size=20
).filter(lambda name: bool(name.strip()) and name != "baseline")


@st.composite
def plans(draw: st.DrawFn) -> dict[str, Any]:
    """A valid study: per arm a name, a size and perhaps a treatment; a line of table 1; an observation."""
    arms = []
    for name in draw(st.lists(NAMES, min_size=1, max_size=4, unique=True)):
        treatment = st.fixed_dictionaries(
            {
                "dose": st.floats(1e3, 1e9),
                "unit": st.sampled_from(DOSE_UNITS),
                "route": st.sampled_from(ROUTES),
                "times": st.lists(st.integers(0, 27 * 24), min_size=1, max_size=4, unique=True),
                "time_unit": st.sampled_from(TIME_UNITS),
            }
        )
        arms.append(
            {
                "name": name,
                "size": draw(st.integers(1, 500)),
                "treatments": draw(st.lists(treatment, max_size=2)),
            }
        )
    return {
        "arms": arms,
        "mean": draw(st.floats(30, 90)),
        "sd": draw(st.floats(1, 30)),
        "age_unit": draw(st.sampled_from(["year", "month"])),
        "n": (n := draw(st.integers(1, 1000))),
        "events": draw(st.integers(0, n)),
    }


def text_of(plan: dict[str, Any]) -> str:
    """The plan as a study file."""
    unit = plan["age_unit"]
    age = [repr(convert(plan[key], "year", unit)) for key in ("mean", "sd")]
    parts = [
        'schema = 1\nname = "any"\ndisease = "ards"\nduration = "4 week"',
        f'[population.baseline]\nage = {{ mean = {age[0]}, sd = {age[1]}, unit = "{unit}" }}',
    ]
    for arm in plan["arms"]:
        parts.append(f"[[arm]]\nname = {quoted(arm['name'])}\nsize = {arm['size']}")
        for t in arm["treatments"]:
            times = ", ".join(f'"{convert(h, "h", t["time_unit"])!r} {t["time_unit"]}"' for h in t["times"])
            parts.append(
                f'[[arm.treatment]]\nproduct = {{ type = "cells" }}\ndose = "{t["dose"]!r} {t["unit"]}"\n'
                f'route = "{t["route"]}"\ntimes = [{times}]'
            )
    parts.append(
        f"[[observation]]\narm = {quoted(plan['arms'][0]['name'])}\n"
        f'endpoint = "mortality"\ntime = "28 d"\nevents = {plan["events"]}\nn = {plan["n"]}'
    )
    return "\n".join(parts)


def quoted(name: str) -> str:
    """A name as TOML writes it."""
    return json.dumps(name, ensure_ascii=False)


def read(text: str) -> Study:
    """Read a study from text."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "study.toml"
        path.write_text(text, encoding="utf-8")
        return read_study(path)


@given(plan=plans())
@settings(max_examples=60, deadline=None)
def test_a_study_holds_what_its_file_says(plan: dict[str, Any]) -> None:
    study = read(text_of(plan))
    assert [(arm.name, arm.size) for arm in study.arms] == [(a["name"], a["size"]) for a in plan["arms"]]
    for arm, wanted in zip(study.arms, plan["arms"], strict=True):
        assert len(arm.treatments) == len(wanted["treatments"])
        for found, stated in zip(arm.treatments, wanted["treatments"], strict=True):
            assert found.dose == pytest.approx(stated["dose"], rel=1e-14)
            assert (found.dose_unit, found.route) == (stated["unit"], stated["route"])
            assert found.times_h == pytest.approx(sorted(stated["times"]), rel=1e-12, abs=1e-12)
    age = study.population.baseline["age"]
    assert (age.mean, age.sd) == pytest.approx((plan["mean"], plan["sd"]), rel=1e-14)
    assert (study.observations[0].events, study.observations[0].n) == (plan["events"], plan["n"])
    untreated = [a["name"] for a in plan["arms"] if not a["treatments"]]
    assert (study.control.name if study.control else None) == (untreated[0] if len(untreated) == 1 else None)


@given(plan=plans(), other=st.sampled_from(TIME_UNITS))
@settings(max_examples=40, deadline=None)
def test_the_unit_in_which_it_is_said_changes_nothing(plan: dict[str, Any], other: str) -> None:
    study = read(text_of(plan))
    for arm in plan["arms"]:
        for treatment in arm["treatments"]:
            treatment["time_unit"] = other
    plan["age_unit"] = "month" if plan["age_unit"] == "year" else "year"
    assert inputs_sha256(read(text_of(plan))) == inputs_sha256(study)


@given(plan=plans())
@settings(max_examples=30, deadline=None)
def test_a_study_can_be_written_down_and_built_again(plan: dict[str, Any]) -> None:
    study = read(text_of(plan))
    again = Study.model_validate_json(study.model_dump_json(exclude_unset=True))
    assert again == study
    assert canonical(again) == canonical(study)
