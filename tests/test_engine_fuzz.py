"""Damaged models are refused or solved: no crash, no hang, no number that is neither finite nor reported.

``MESOLUNG_FUZZ_SECONDS`` sets how long to try (20 by default).
"""

import os
import random
import re
import time
from pathlib import Path

import antimony
import numpy as np
import pytest

from mesolung.engine import EngineError, compile_model

TEXT = """model m
 compartment V; V = 2; V' = 0.1; compartment W; W = 1
 species S in V, T in W; substanceOnly species A in W; S = 3; T = 1; A = 0; k = 0.4; n = 2; level := 2*S + T^n
 R: S -> 2 T; k*S*V; Q: T -> A; loss*T; loss = 0.3
 x = 1; x' = piecewise(-x, time > 1, sin(x)) + min(S, 2); y = 2*k; z = 0; z' = rateOf(x)
 E: at T > 1.2, priority = 2: T = 0.5*T; F: at 0.3 after x < 0.9 || A > 1, persistent = false: k = k/2, A = 0
end"""
ODD = ("NaN", "INF", "-INF", "-1", "0", "1e308", "1e-320", "", "2", "x", "0.5", "true", "-0")
TAGS = (
    "plus",
    "times",
    "minus",
    "divide",
    "power",
    "lt",
    "geq",
    "and",
    "abs",
    "exp",
    "ln",
    "floor",
    "max",
    "sin",
)


def seeds(folder: Path) -> list[str]:
    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString(TEXT) >= 0, antimony.getLastError()
    texts = [str(antimony.getSBMLString("m"))] * 40
    suite = folder / "sbml-test-suite"
    return texts + [p.read_text(encoding="utf-8") for p in sorted(suite.glob("*/*-sbml-*.xml"))]


def damaged(text: str, draw: random.Random) -> str:
    """A model with a few mistakes: elements lost, doubled, exchanged; numbers, names, operators altered."""
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        way = draw.randrange(6)
        if way == 0:
            found = list(re.finditer(r'"([^"<>]*)"', text))
            value = draw.choice((*ODD, draw.choice(found).group(1)))
        elif way == 1:
            found = list(re.finditer(r">([^<>]+)<", text))
            value = draw.choice((*ODD, draw.choice(found).group(1)))
        elif way == 2:
            found = list(re.finditer(r"<(\w+)/>", text))
            value = draw.choice(TAGS)
        else:
            # A whole element that holds no other of its kind.
            found = list(re.finditer(r"<(\w+)[^<>/]*(?:/>|>(?:(?!<\1[ >/]).)*?</\1>)", text, re.DOTALL))
            value = ""
        if not found:
            continue
        one = draw.choice(found)
        if way == 3:
            text = text[: one.start()] + text[one.end() :]
        elif way == 4:
            text = text[: one.end()] + one.group(0) + text[one.end() :]
        elif way == 5:
            other = draw.choice(found)
            text = text[: one.start()] + other.group(0) + text[one.end() :]
        else:
            text = text[: one.start(1)] + value + text[one.end(1) :]
    return text


def test_damaged_models_are_refused_or_solved(shared_or_none: Path) -> None:
    end = time.monotonic() + float(os.environ.get("MESOLUNG_FUZZ_SECONDS", "20"))
    texts, seed, solved, refused = seeds(shared_or_none), 0, 0, 0
    while time.monotonic() < end:
        seed += 1
        draw = random.Random(seed)
        text = damaged(draw.choice(texts), draw)
        try:
            model = compile_model(text, lanes=2, cache=False)
        except EngineError as refusal:
            assert "\n" not in str(refusal), seed
            refused += 1
            continue
        one = model.default_parameters[None, :]
        names = [*model.states, *model.observables]
        try:
            solution = model.solve(one, [0.0, 0.7, 2.0], outputs=names, rtol=1e-4, max_steps=300)
        except EngineError as refusal:
            raise AssertionError(f"{seed}: {refusal}") from refusal
        states = solution.values[0, :, : len(model.states)]
        # A state is a number until a failure is told.
        assert solution.failures or not np.isnan(states).any(), seed
        solved += 1
    assert solved > 5 and refused > 5, (solved, refused)


@pytest.fixture
def shared_or_none(root: Path) -> Path:
    """Where the suite lies, if it does."""
    return Path(os.environ.get("MESOLUNG_SHARED", root.parent / "shared"))
