"""Balance against suppression: the same patients, two-sided verdicts, a page that is that of the record."""

import json
from pathlib import Path

import numpy as np
import pytest

from mesolung.biology import assemble
from mesolung.calibration.balance.__main__ import RECORD
from mesolung.calibration.balance.challenge import PATHOGENS, courses
from mesolung.calibration.balance.therapies import NONE, THERAPIES
from mesolung.calibration.balance.verdicts import (
    BALANCE,
    CLASSES,
    DEFENCE_GAINED,
    NEITHER,
    SUPPRESSION,
    WORSE,
    class_of,
    per_draw,
    record_of,
)
from mesolung.calibration.patients import Patients
from mesolung.engine import compile_model
from mesolung.population.draws import draw_prior

DAY = 7.0


@pytest.fixture(scope="module")
def enrolled():
    model = compile_model(assemble().sbml)
    return Patients(model, draw_prior(3, "test"), 6, 1).enrolled("covid supported")


@pytest.fixture(scope="module")
def found(enrolled):
    return courses(enrolled, days=(DAY,), therapies=(NONE, "cells", "dexamethasone"))


def test_no_therapy_is_measured_against_itself_as_nothing(enrolled, found):
    same = courses(enrolled, days=(DAY,), therapies=(NONE,))
    assert np.array_equal(same[NONE].avoided, found[NONE].avoided)
    line = per_draw({NONE: found[NONE], "again": same[NONE]}, enrolled.draw, enrolled.weight)["again"]
    assert np.all(line["avoided"] == 0.0) and np.all(line["lost"] == 0.0)
    assert np.all(line["antibody"] == 1.0) and np.all(line["not_returned"] == 0.0)


def test_a_steroid_calms_and_takes_from_killing(enrolled, found):
    line = per_draw(found, enrolled.draw, enrolled.weight)["dexamethasone"]
    assert np.all(line["avoided"] > 0.0)
    assert np.all(line[f"killing {DAY:g}"] < 1.0)


def test_every_pathogen_and_day_is_measured(enrolled, found):
    line = per_draw(found, enrolled.draw, enrolled.weight)["cells"]
    for pathogen in PATHOGENS:
        for what in ("area", "peak", "clearance"):
            assert np.all(np.isfinite(line[f"{what} {pathogen} {DAY:g}"]))
    assert np.all(found[NONE].clearance["NOS", DAY] > 0.0)
    record = record_of({"cells": line})["cells"]
    assert sum(record["probability"].values()) == pytest.approx(1.0)
    assert all(len(row) == 1 + len(PATHOGENS) for row in record["draws"])


def test_verdicts_are_two_sided():
    avoided = np.array([0.2, 0.2, 0.0, 0.0, -0.2, 0.0, np.nan])
    lost = np.array([0.0, 0.5, 0.0, -0.5, 0.0, 0.5, 0.0])
    assert class_of(avoided, lost) == [BALANCE, SUPPRESSION, NEITHER, DEFENCE_GAINED, WORSE, WORSE]


def test_the_record_holds_every_therapy():
    record = json.loads(RECORD.read_text(encoding="utf-8"))
    assert list(record["therapies"]) == [t for t in THERAPIES if t != NONE]
    for one in record["therapies"].values():
        assert list(one["probability"]) == list(CLASSES)
        assert sum(one["probability"].values()) == pytest.approx(1.0)


def test_the_page_and_the_picture_are_those_of_the_record(root: Path, tool_module):
    tool = tool_module("balance_page")
    record = json.loads(tool.RECORD.read_text(encoding="utf-8"))
    assert tool.PAGE.read_text(encoding="utf-8") == tool.page(record)
    assert tool.IMAGE.read_text(encoding="utf-8") == tool.picture(record)
