"""Whatever is wrong in a study file is refused in one line: where, what was found and what is allowed."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from mesolung.biology import tables
from mesolung.reading import Refusal
from mesolung.study import asking, read_study


class Case(NamedTuple):
    """One slip: ``old`` of the example becomes ``new``; the refusal names words, ``down`` lines below it."""

    old: str
    new: str
    words: str
    down: int = 0


DOSE = 'dose  = "100e6 cells"'
AGE = "age      = { mean = 58.7, sd = 13.9"
PF = "median = 116, iqr = [68, 165]"
PLAN = 'contrast = "risk_ratio"'
SEEN = "events = 7\nn = 12"
USUAL = "[population.background]"
TIMES = 'times = ["0 d", "3 d"]'
MORE_ARMS = '\n[[arm]]\nname = "third"\nsize = 1\ncontrol = true'

CASES = {
    # The file as a whole
    "schema missing": Case("schema   = 1\n", "\n", "schema is missing", -2),
    "schema of the future": Case("schema   = 1", "schema = 2", "unknown schema"),
    "schema true": Case("schema   = 1", "schema = true", "unknown schema"),
    "name missing": Case(
        'name     = "UC-MSC in COVID-19 ARDS (Lanzoni 2021)"\n', "\n", "name is missing", -3
    ),
    "unknown key": Case("blinded  = true", "blindd = true", "unknown key; did you mean blinded"),
    "another kind": Case('kind     = "trial"', 'kind = "patient"', 'kind "patient" is not supported yet'),
    "unknown kind": Case('kind     = "trial"', 'kind = "trail"', "did you mean trial"),
    "disease of animals": Case('"covid19-ards"', '"lps"', "lps is an animal model"),
    "unknown disease": Case('"covid19-ards"', '"covid-ards"', "unknown disease; did you mean covid19-ards"),
    "mixture of something": Case(
        '"covid19-ards"', "{ ards = 0.5, elastase = 0.5 }", "elastase is an animal model"
    ),
    "mixture that is no whole": Case(
        '"covid19-ards"', "{ ards = 0.5, covid19-ards = 0.4 }", "shares of the diseases do not add up"
    ),
    "animals in a trial": Case('"human"', '"mouse"', "kind trial of the species mouse"),
    "unknown species": Case('"human"', '"dog"', "unknown species"),
    "species a number": Case('"human"', "3", "allowed: human"),
    "people as animals": Case('kind     = "trial"', 'kind = "animal"', "kind animal of the species human", 2),
    "unknown origin": Case('"human"', '"human"\norigin = "birth"', "unknown origin", 1),
    "unknown agent": Case(
        '"human"', '"human"\ninjury = { agent = "lpz" }', "unknown agent; did you mean lps", 1
    ),
    "injury in a wrong unit": Case(
        '"human"', '"human"\ninjury = { agent = "lps", amount = "3 CFU" }', "amount of lps: wrong unit", 1
    ),
    "injury of nothing": Case(
        '"human"', '"human"\ninjury = { agent = "lps", amount = "0 mg" }', "negative or zero amount", 1
    ),
    "more oxygen than there is": Case(
        '"human"', '"human"\ninjury = { agent = "oxygen", amount = "95 fraction" }', "a share above 1", 1
    ),
    "injury backwards": Case(
        '"human"',
        '"human"\ninjury = { agent = "lps", start = "2 h", end = "1 h" }',
        "ends before it starts",
        1,
    ),
    "one injury twice": Case(
        '"human"',
        '"human"\ninjury = [{ agent = "lps" }, { agent = "lps" }]',
        "the same injury twice",
        1,
    ),
    "assay": Case('"human"', '"human"\nassay = { ratio = 1 }', "an assay of subjects", 1),
    "duration a number": Case('duration = "28 d"', "duration = 28", "wrong type"),
    "duration in kg": Case('duration = "28 d"', 'duration = "28 kg"', "duration: wrong unit"),
    "duration without unit": Case(
        'duration = "28 d"', 'duration = "28"', "duration: not a number with a unit"
    ),
    "negative duration": Case('duration = "28 d"', 'duration = "-28 d"', "impossible duration"),
    "blinded a text": Case("blinded  = true", 'blinded = "yes"', "true or false"),
    # The population
    "sizes that do not add up": Case("size = 24", "size = 25", "sizes do not add up (found 25; allowed: 24"),
    "negative size": Case("size = 24", "size = -24", "more than 0"),
    "size a text": Case("size = 24", 'size = "24"', "a whole number"),
    "size of some unknown": Case(
        "size = 12", 'size = "unknown"', "a size beside arms whose size is unknown", -10
    ),
    "size no number": Case("size = 24", 'size = "many"', "a whole number"),
    "phenotype": Case(USUAL, "[population.phenotype]\nhyper = 0.3\n" + USUAL, "unknown phenotype", 1),
    "unknown rule": Case(
        USUAL, '[population.include]\nsofaa = "> 8"\n' + USUAL, "unknown rule; did you mean sofa", 1
    ),
    "rule that is none": Case(
        USUAL, '[population.include]\nsofa = "8"\n' + USUAL, "sofa: not a comparison", 1
    ),
    "rule in a wrong unit": Case(
        USUAL, '[population.include]\nage = "> 18 kg"\n' + USUAL, "age: wrong unit", 1
    ),
    "rule of another disease": Case(
        USUAL, '[population.include]\nfvc_fall_12_months = "> 10 %"\n' + USUAL, "cannot have this rule", 1
    ),
    "rule against table 1": Case(
        USUAL, '[population.include]\npf_ratio = "> 200 mmHg"\n' + USUAL, "a rule that table 1 contradicts", 1
    ),
    "delay beyond its bound": Case(
        "size = 24",
        'size = 24\nonset_to_enrolment = { mean = 12, max = 9, unit = "d" }',
        "onset_to_enrolment: mean not below max",
        1,
    ),
    "delay in kg": Case(
        "size = 24", 'size = 24\nonset_to_enrolment = { mean = 2, unit = "kg" }', "wrong unit", 1
    ),
    "sure death": Case("size = 24", "size = 24\nexpected_mortality = 1.4", "less than 1", 1),
    # Table 1
    "min > max": Case(
        f'{AGE}, unit = "year", min = 18', f'{AGE}, unit = "year", min = 80, max = 70', "min > max"
    ),
    "mean below min": Case("min = 18", "min = 60", "age: mean not above min"),
    "wrong unit of age": Case(f'{AGE}, unit = "year"', f'{AGE}, unit = "kg"', "age: wrong unit"),
    "age in hours": Case(f'{AGE}, unit = "year"', f'{AGE}, unit = "h"', "allowed: year"),
    "no unit": Case(f'{AGE}, unit = "year"', AGE, "age: unit is missing"),
    "sd 0": Case(AGE, "age = { mean = 58.7, sd = 0", "more than 0"),
    "negative sd": Case(AGE, "age = { mean = 58.7, sd = -2", "more than 0"),
    "sd alone": Case(AGE, "age = { sd = 13.9", "age: no distribution"),
    "unknown key of a line": Case(AGE, "age = { mean = 58.7, stdev = 13.9", "unknown key"),
    "P/F 900": Case(PF, "median = 900, iqr = [800, 950]", "pf_ratio: impossible median (found 900 mmHg"),
    "P/F in kPa by mistake": Case('unit = "mmHg", max = 300', 'unit = "kPa"', "pf_ratio: impossible median"),
    "quantiles out of order": Case(PF, "median = 116, iqr = [165, 68]", "quantiles out of order"),
    "median outside quartiles": Case(PF, "median = 60, iqr = [68, 165]", "quantiles out of order"),
    "one quartile": Case(PF, "median = 116, iqr = [68]", "at least 2"),
    "median alone": Case(PF, "median = 116", "median with iqr"),
    "mean and median": Case(PF, "mean = 116, median = 116, iqr = [68, 165]", "no distribution"),
    "mean a text": Case(PF, 'mean = "116"', "a number"),
    "mean nan": Case(PF, "mean = nan", "a finite number"),
    "mean without end": Case(PF, "mean = 1e999", "a finite number"),
    "share of a quantity": Case(PF, "share = 0.3", "pf_ratio is a quantity"),
    "unknown baseline": Case(USUAL, "agee = 3\n" + USUAL, "unknown baseline; did you mean age"),
    "baseline of another disease": Case(
        USUAL, 'feno = "20 ppb"\n' + USUAL, "feno has no value at enrolment in this disease"
    ),
    "no baseline": Case(USUAL, "mortality = 0.3\n" + USUAL, "mortality has no value at enrolment"),
    "share above 1": Case(USUAL, "female = 30\n" + USUAL, "female: impossible share"),
    "negative share": Case(USUAL, "female = { share = -0.1 }\n" + USUAL, "at least 0"),
    "mean of a yes or no": Case(USUAL, "female = { mean = 0.3 }\n" + USUAL, "female is a yes or no"),
    "bare weight": Case(USUAL, "weight = 82\n" + USUAL, "a number without a unit"),
    "SOFA 30": Case(USUAL, "sofa = 30\n" + USUAL, "sofa: impossible mean"),
    "baseline a list": Case(USUAL, "weight = [82]\n" + USUAL, "wrong type"),
    # Usual care
    "share of a drug": Case("heparin = 1.0", "heparin = 1.5", "at most 1"),
    "unknown drug": Case("heparin = 1.0", "heprin = 1.0", "unknown background; did you mean heparin"),
    "slip in a planned drug": Case(
        "heparin = 1.0", "nintedanibb = 0.3", "unknown background; did you mean nintedanib"
    ),
    "responder": Case("share = 0.80", "share = 0.8, responder = 1.5", "at most 1"),
    "drug without share": Case("share = 0.80, ", "", "dexamethasone: share is missing"),
    "dose of a drug in mL": Case('dose = "6 mg"', 'dose = "6 mL"', "wrong unit"),
    "negative dose of a drug": Case('dose = "6 mg"', 'dose = "-6 mg"', "negative or zero dose"),
    "no duration": Case('duration = "10 d"', 'duration = "0 d"', "impossible duration"),
    "dose of another kind": Case("heparin = 1.0", 'heparin = { share = 1, dose = "5 mg" }', "wrong unit"),
    "dose of a support": Case(
        "heparin = 1.0", 'vasopressor = { share = 1, dose = "5 mg" }', "vasopressor has no dose"
    ),
    # Arms
    "arm without a name": Case('name = "vehicle"\n', "\n", "arm: name is missing", -1),
    "arm with an empty name": Case('name = "vehicle"', 'name = ""', "an empty name"),
    "arm with a blank name": Case('name = "vehicle"', 'name = "  "', "an empty name"),
    "arm with a tab in its name": Case('name = "vehicle"', 'name = "veh\\ticle"', "control characters"),
    "arm named baseline": Case('name = "vehicle"', 'name = "baseline"', "any name but baseline"),
    "two arms of one name": Case('name = "vehicle"', 'name = "UC-MSC"', "two arms of one name"),
    "two controls": Case("control = true", "control = true" + MORE_ARMS, "two controls", 4),
    "control a number": Case("control = true", "control = 1", "true or false"),
    "size and ratio": Case("control = true", "control = true\nratio = 1", "both size and ratio", -3),
    "neither size nor ratio": Case("size = 12\ncontrol", "control", "neither size nor ratio", -2),
    "a size and a ratio": Case("size = 12\ncontrol", "ratio = 1\ncontrol", "some arms have a size"),
    "injury of an arm": Case("control = true", 'control = true\ninjury = "some"', "unknown injury", 1),
    "assay of an arm": Case(
        "control = true", 'control = true\nassay = { ratio = "1:10" }', "an assay of subjects", 1
    ),
    "unknown key of an arm": Case("control = true", "controll = true", "did you mean control"),
    # Treatments
    "negative dose": Case(DOSE, 'dose = "-100e6 cells"', "negative or zero dose"),
    "zero dose": Case(DOSE, 'dose = "0 cells"', "negative or zero dose"),
    "dose in mg": Case(DOSE, 'dose = "100 mg"', "a product of type cells cannot have this unit"),
    "dose in particles": Case(DOSE, 'dose = "1e11 particles"', "allowed: cells, cells/kg, cells/kg PBW"),
    "dose a number": Case(DOSE, "dose = 100e6", "a quantity has its unit"),
    "dose of nothing": Case(DOSE, 'dose = "many"', "dose: wrong unit or no quantity"),
    "dose beyond all": Case(DOSE, 'dose = "1e30 cells"', "impossible dose"),
    "cap on a dose for all": Case(DOSE, DOSE + '\nmax = "80e6 cells"', "the same for all", 1),
    "cap per kg": Case(DOSE, 'dose  = "1e6 cells/kg"\nmax = "80e6 cells/kg"', "max: wrong unit", 1),
    "cap of nothing": Case(DOSE, 'dose  = "1e6 cells/kg"\nmax = "0 cells"', "impossible cap", 1),
    "basis": Case(DOSE, DOSE + '\ndose_basis = "alive"', "unknown dose_basis", 1),
    "infusion in kg": Case(DOSE, DOSE + '\ninfusion = "60 kg"', "infusion: wrong unit", 1),
    "infusion backwards": Case(DOSE, DOSE + '\ninfusion = "-60 min"', "impossible infusion", 1),
    "infusion range backwards": Case(
        DOSE, DOSE + '\ninfusion = ["80 min", "60 min"]', "a range out of order", 1
    ),
    "infusion of three": Case(DOSE, DOSE + '\ninfusion = ["10 min", "60 min", "80 min"]', "at most 2", 1),
    "lot file": Case(
        '{ type = "cells", source = "umbilical cord", cryopreserved = true }',
        '"lot.toml"',
        "no such lot file",
    ),
    "EV in cells": Case('type = "cells"', 'type = "ev"', "a product of type ev cannot have this unit", 1),
    "living EV": Case('type = "cells"', 'type = "ev", viability = 0.9', "so it has no viability"),
    "drug without a name": Case(
        '{ type = "cells", source = "umbilical cord", cryopreserved = true }',
        '{ type = "drug" }',
        "a drug has a name",
    ),
    "unknown drug as a product": Case(
        '{ type = "cells", source = "umbilical cord", cryopreserved = true }',
        '{ type = "drug", name = "dexametasone" }',
        "unknown drug; did you mean dexamethasone",
    ),
    "cells with a name": Case('type = "cells"', 'name = "Bob"', "only a drug has a name"),
    "living part of a drug": Case(
        '{ type = "cells", source = "umbilical cord", cryopreserved = true }\n' + DOSE,
        '{ type = "drug", name = "heparin" }\ndose = "5 mg"\ndose_basis = "viable"',
        "drug has no viable part",
        2,
    ),
    "vehicle of cells": Case('type = "cells"', 'type = "vehicle"', "a vehicle has no cells"),
    "vehicle counted in cells": Case(
        '{ type = "cells", source = "umbilical cord", cryopreserved = true }',
        '{ type = "vehicle" }',
        "dose: wrong unit",
        1,
    ),
    "unknown product": Case('type = "cells"', 'type = "cels"', "unknown product type; did you mean cells"),
    "unknown source": Case("umbilical cord", "umbilical chord", "did you mean umbilical cord"),
    "unknown key of a product": Case("cryopreserved", "cryopreservd", "did you mean cryopreserved"),
    "viability above 1": Case("cryopreserved = true", "viability = 95", "at most 1"),
    "frozen a text": Case("cryopreserved = true", 'cryopreserved = "yes"', "true or false"),
    "slip in a planned route": Case('"intravenous"', '"nebulized"', "did you mean nebulised"),
    "no route": Case('route = "intravenous"\n', "\n", "route is missing", -3),
    "unknown route": Case('"intravenous"', '"intravenus"', "unknown route; did you mean intravenous"),
    "no times": Case(TIMES + "\n", "\n", "times is missing", -4),
    "empty times": Case(TIMES, "times = []", "at least 1"),
    "time long before the origin": Case(TIMES, 'times = ["-11 year"]', "too long before the origin"),
    "time beyond the end": Case(TIMES, 'times = ["0 d",\n"29 d"]', "beyond the duration", 1),
    "one time twice": Case(TIMES, 'times = ["0 d", "0 h"]', "two doses at one time"),
    "times a text": Case(TIMES, 'times = "0 d"', 'a table or a list or "unknown"'),
    "time of an endpoint unknown": Case(
        'time = "28 d"\ncontrast', 'time = "unknown"\ncontrast', "a time that is unknown"
    ),
    "time of days unknown": Case(
        'arm = "vehicle"\nendpoint = "mortality"\ntime = "28 d"\n' + SEEN,
        'arm = "vehicle"\nendpoint = "hospital_days"\ntime = "unknown"\nvalue = 12',
        "hospital_days counts days up to a time",
        2,
    ),
    "times on and on": Case(
        TIMES, 'times = { start = "0 d", every = "2 d", count = 30 }', "beyond the duration"
    ),
    "times every nothing": Case(
        TIMES, 'times = { start = "0 d", every = "0 d", count = 3 }', "more than 0 h"
    ),
    # Endpoints
    "unknown endpoint": Case(
        'name = "mortality"', 'name = "mortalitty"', "unknown endpoint; did you mean mortality"
    ),
    "endpoint of animals": Case(
        'name = "mortality"', 'name = "fibrosis_score"', "covid19-ards cannot have this endpoint"
    ),
    "endpoint of chronic disease": Case(
        'name = "mortality"', 'name = "feno"', "covid19-ards cannot have this endpoint"
    ),
    "endpoint of a culture": Case(
        'name = "mortality"', 'name = "t_cell_inhibition"', "covid19-ards cannot have this endpoint"
    ),
    "endpoint of another disease": Case(
        'name = "mortality"', 'name = "bacterial_load"', "covid19-ards cannot have this endpoint"
    ),
    "state that is none": Case('name = "mortality"', 'name = "state:IL6q"', "unknown endpoint; did you mean"),
    "observable as a state": Case('name = "mortality"', 'name = "state:pf_ratio"', "unknown endpoint"),
    "deaths of deaths": Case(PLAN, 'deaths = "survivors"', "mortality has its own rule for the dead"),
    "deaths of a composite": Case(
        'name = "mortality"\ntime = "28 d"\n' + PLAN,
        'name = "ventilation_or_death"\ntime = "7 d"\ndeaths = "zero"',
        "ventilation_or_death has its own rule for the dead",
        2,
    ),
    "time missing": Case('time = "28 d"\ncontrast', "contrast", "mortality: time is missing", -2),
    "time beyond the duration": Case(
        'time = "28 d"\ncontrast', 'time = "29 d"\ncontrast', "beyond the duration"
    ),
    "where of no name": Case(PLAN, 'where = ">= 8"', "where: not a comparison"),
    "where of two relations": Case(PLAN, 'where = "8 <= sofa <= 10"', "where: not a comparison"),
    "where with or": Case(PLAN, 'where = "sofa >= 8 or age > 60 year"', "where: not a comparison"),
    "where in code": Case(PLAN, "where = \"__import__('os')\"", "where: not a comparison"),
    "where of an unknown name": Case(PLAN, 'where = "soffa >= 8"', "unknown baseline; did you mean sofa"),
    "where of an outcome": Case(PLAN, 'where = "mortality = 1"', "unknown baseline"),
    "where in a wrong unit": Case(PLAN, 'where = "age >= 65 kg"', "age: wrong unit"),
    "where beyond bounds": Case(PLAN, 'where = "sofa >= 30"', "where: impossible value of sofa"),
    "where of a trait at a level": Case(PLAN, 'where = "female > 0.5"', "female is a yes or no"),
    "where of an exact quantity": Case(PLAN, 'where = "sofa = 8"', "sofa is a quantity"),
    "where of nobody": Case(PLAN, 'where = "sofa >= 8 and sofa < 8"', "where: nobody can meet this"),
    "where a number": Case(PLAN, "where = 8", "text in quotes"),
    "ratio of a change": Case(
        'name = "mortality"\ntime = "28 d"\n' + PLAN,
        'name = "pf_ratio"\ntime = "7 d"\nas = "change"\ncontrast = "ratio"',
        "cannot have this contrast",
        3,
    ),
    "risk ratio of a quantity": Case(
        'name = "mortality"', 'name = "pf_ratio"', "pf_ratio (continuous) cannot have this contrast", 2
    ),
    "change of deaths": Case(PLAN, 'as = "change"', "no value at enrolment to change from"),
    "t test of deaths": Case(PLAN, 'test = "welch"', "cannot have this test"),
    "as_": Case(PLAN, 'as_ = "level"', "unknown key; did you mean as"),
    "one endpoint twice": Case(
        PLAN, '\n[[endpoint]]\nname = "mortality"\ntime = "672 h"', "the same endpoint twice", 1
    ),
    # Observations
    "absent arm": Case('arm = "vehicle"', 'arm = "placebo"', "no such arm"),
    "absent arm among pooled": Case('arm = "vehicle"', 'arm = ["vehicle", "placebo"]', "no such arm"),
    "arm twice": Case('arm = "vehicle"', 'arm = ["vehicle", "vehicle"]', "one arm twice"),
    "no arm": Case('arm = "vehicle"\n', "\n", "events: arm is missing", -1),
    "no number": Case(SEEN, "n = 12", "an observation without a number", -4),
    "events > n": Case(SEEN, "events = 13\nn = 12", "events > n"),
    "events without n": Case(SEEN, "events = 7", "n is missing", -4),
    "half an event": Case(SEEN, "events = 6.5\nn = 12", "a whole number"),
    "mean of deaths": Case(SEEN, "mean = 0.5\nsd = 0.1\nn = 12", "is a yes or no"),
    "mean without spread": Case(SEEN, "mean = 0.5", "a mean without spread"),
    "value beyond bounds": Case(SEEN, "value = 58.3", "impossible value"),
    "nobody observed": Case(SEEN, "events = 0\nn = 0", "more than 0", 1),
    "unit that cannot be converted": Case(
        'endpoint = "mortality"\ntime = "28 d"\n' + SEEN,
        'endpoint = "pf_ratio"\ntime = "7 d"\nmean = 20\nsd = 3\nn = 12\nunit = "mg/L"',
        "pf_ratio: wrong unit",
        5,
    ),
    "unit of a planned endpoint that cannot be converted": Case(
        'endpoint = "mortality"\ntime = "28 d"\n' + SEEN,
        'endpoint = "ferritin"\ntime = "7 d"\nmean = 20\nsd = 3\nn = 12\nunit = "mmHg"',
        "ferritin: wrong unit",
        5,
    ),
    "interval without its estimate": Case(
        SEEN,
        'contrast = "risk_ratio"\nvalue = 0.5\nci95 = [0.6, 0.9]\nversus = "UC-MSC"',
        "ci95 out of order",
        2,
    ),
    "interval without its mean": Case(
        'endpoint = "mortality"\ntime = "28 d"\n' + SEEN,
        'endpoint = "pf_ratio"\ntime = "7 d"\nmean = 150\nci95 = [160, 190]',
        "ci95 out of order",
        3,
    ),
    "quartiles without their median": Case(
        'endpoint = "mortality"\ntime = "28 d"\n' + SEEN,
        'endpoint = "pf_ratio"\ntime = "7 d"\nmedian = 150\niqr = [160, 190]',
        "iqr out of order",
        3,
    ),
    "two forms": Case(SEEN, "events = 7\nvalue = 0.5\nn = 12", "value does not go with events", 1),
    "absent control": Case(
        SEEN, 'contrast = "risk_ratio"\nvalue = 0.5\nversus = "placebo"', "no such arm to compare with", 2
    ),
    "versus itself": Case(
        SEEN, 'contrast = "risk_ratio"\nvalue = 0.5\nversus = "vehicle"', "no such arm to compare with", 2
    ),
    "contrast without versus": Case(SEEN, 'contrast = "risk_ratio"\nvalue = 0.5', "versus is missing", -4),
    "negative ratio": Case(
        SEEN, 'contrast = "risk_ratio"\nvalue = -0.5\nversus = "UC-MSC"', "impossible value of risk_ratio", 1
    ),
    "interval out of order": Case(
        SEEN,
        'contrast = "risk_ratio"\nvalue = 0.5\nci95 = [0.9, 0.1]\nversus = "UC-MSC"',
        "ci95 out of order",
        2,
    ),
    "difference of means of deaths": Case(
        SEEN, 'contrast = "win_ratio"\nvalue = 0.5\nversus = "nobody"', "no such arm to compare with", 2
    ),
    "direction against nothing": Case(SEEN, 'direction = "lower"', "versus is missing", -4),
    "order of one": Case('arm = "vehicle"', 'order = ["vehicle"]', "at least 2"),
    "p of 0": Case(SEEN, 'contrast = "risk_ratio"\nvalue = 0.5\np = 0\nversus = "UC-MSC"', "more than 0", 2),
    "unit of deaths": Case(SEEN, SEEN + '\nunit = "mmHg"', "a unit where no number has one", 2),
    "status guessed": Case(
        SEEN + '\nsource = { doi = "10.1002/sctm.20-0472", status = "derived"',
        SEEN + '\nsource = { status = "guessed"',
        "unknown status",
        2,
    ),
    "n too small for a contrast": Case(
        SEEN, 'contrast = "risk_ratio"\nvalue = 0.5\nversus = "UC-MSC"\nn = 3', "n of contrast: too few", 3
    ),
    "n too small for a direction": Case(
        SEEN, 'direction = "lower"\nversus = "UC-MSC"\nn = 2', "n of direction: too few", 2
    ),
    "an order of states": Case(
        'arm = "vehicle"\nendpoint = "mortality"\ntime = "28 d"\n' + SEEN,
        'endpoint = "state:IL6"\ntime = "7 d"\norder = ["vehicle", "UC-MSC"]',
        "state:IL6 has no better direction",
        2,
    ),
    "one observation twice": Case(
        'arm = "vehicle"\nendpoint',
        'arm = "UC-MSC"\nendpoint',
        "the same observation twice (found also on line",
        -1,
    ),
    "where of an observation": Case(SEEN, SEEN + '\nwhere = "sofa >= 8 and"', "where: not a comparison", 2),
}


@pytest.fixture(scope="module")
def example(root: Path) -> str:
    """The text of the example study."""
    return (root / "examples" / "lanzoni-2021.toml").read_text(encoding="utf-8")


def refusal_of(path: Path) -> Refusal:
    """Read a study that must be refused."""
    with pytest.raises(Refusal) as caught:
        read_study(path)
    return caught.value


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_slip_is_refused_where_it_is(case: Case, example: str, tmp_path: Path) -> None:
    assert case.old in example
    path = tmp_path / "study.toml"
    path.write_text(example.replace(case.old, case.new, 1), encoding="utf-8")
    refusal = refusal_of(path)
    place = example.index(case.old)
    line = max(example.count("\n", 0, place) + 1 + case.down, 1)
    message = str(refusal)
    assert message.startswith(f"{path}:{line}: "), message
    assert case.words in message
    assert "\n" not in message and len(message) < 600
    assert "found" in message or "allowed" in message or "missing" in message or "supported" in message


def test_a_study_without_arms_is_refused(example: str, tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text(example.split("[[arm]]")[0], encoding="utf-8")
    assert "arm is missing" in str(refusal_of(path))


def test_a_study_that_asks_for_nothing_is_refused(example: str, tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text(example.split("[[endpoint]]")[0], encoding="utf-8")
    assert "no endpoint" in str(refusal_of(path))


def test_the_dead_count_as_worst_only_where_there_is_a_worst(
    example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = dataclasses.replace(tables.endpoints()["evlw"], highest=None, value_at_death=None)
    usual = asking.endpoint_in
    monkeypatch.setattr(asking, "endpoint_in", lambda name, of: row if name == "evlw" else usual(name, of))
    path = tmp_path / "study.toml"
    plan = 'name = "mortality"\ntime = "28 d"\ncontrast = "risk_ratio"'
    for name, refused in (("evlw", True), ("compliance", False)):
        new = f'name = "{name}"\ntime = "28 d"\ndeaths = "worst"'
        path.write_text(example.replace(plan, new, 1), encoding="utf-8")
        if refused:
            assert str(refusal_of(path)).startswith(f"{path}:45: evlw has no worst value")
        else:
            assert read_study(path).endpoints[0].deaths == "worst"


def test_ratios_need_a_population(example: str, tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text(example.replace("size = 12", "ratio = 1").replace("size = 24\n", ""), encoding="utf-8")
    assert "ratios without population.size" in str(refusal_of(path))


def test_no_arm_is_left_without_subjects(example: str, tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    text = example.replace("size = 12", "ratio = 1").replace("ratio = 1", "ratio = 100", 1)
    path.write_text(text, encoding="utf-8")
    assert 'arm "vehicle" would have no subject' in str(refusal_of(path))


@pytest.mark.parametrize("name", ["absent", "folder", "empty", "blank", "noise", "not TOML", "latin-1"])
def test_what_is_no_study_file_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    if name == "folder":
        path.mkdir()
    elif name != "absent":
        content = {
            "empty": b"",
            "blank": b"\n\n  \n",
            "noise": os.urandom(1_000_000) * 100,
            "not TOML": b"schema = 1\nname = \n",
            "latin-1": 'schema = 1\nname = "Über"\n'.encode("latin-1"),
        }[name]
        path.write_bytes(content)
    message = str(refusal_of(path))
    line = {"not TOML": ":2: ", "latin-1": ":2: "}.get(name, ": ")
    assert message.startswith(f"{path}{line}")
    assert "\n" not in message and len(message) < 600


def test_the_command_prints_one_line_and_makes_nothing(example: str, tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text(example.replace('"100e6 cells"', '"-1 cells"'), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mesolung", "run", "study.toml"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "study.toml:27: negative or zero dose" in done.stderr
    assert [entry.name for entry in tmp_path.iterdir()] == ["study.toml"]
