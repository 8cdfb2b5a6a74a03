"""A subject's numbers are the same bits in every company: width, place, chunk and number of threads."""

from functools import partial

import antimony
import numpy as np
import pytest

from mesolung.engine import (
    ADD_STATE,
    SET_PARAMETER,
    CompiledModel,
    EventTable,
    Solution,
    compile_model,
    kernel,
)

SUBJECTS = 37
TIMES = np.linspace(0.0, 100.0, 11)


def model_text() -> str:
    rng = np.random.default_rng(3)
    lines = ["model m", " n = 1.7; fast = 40; give = 0"]
    for i in range(12):
        others = rng.choice(12, 3, replace=False)
        k = float(10.0 ** rng.uniform(-2, 1))
        calls = " + ".join(
            f"max(X{j},0)^n/({float(rng.uniform(0.5, 2))!r}^n + max(X{j},0)^n)" for j in others
        )
        lines.append(f" X{i} = 1; k{i} = {k!r}; X{i}' = k{i}*({calls}) - k{i}*X{i}*ln(2 + X{others[0]})")
    lines.append(
        " G = 0; G' = give - fast*G/(0.1 + G) + 0.01*exp(-X1)*G*X2; level := G/(1 + X3) + min(X4, give)"
    )
    lines.append(" at G < 1e-6: G = 0;")
    return "\n".join([*lines, "end"])


def sbml_text() -> str:
    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString(model_text()) >= 0, antimony.getLastError()
    return str(antimony.getSBMLString(antimony.getMainModuleName()))


@pytest.fixture(scope="module")
def models() -> dict[int, CompiledModel]:
    return {lanes: compile_model(sbml_text(), lanes=lanes) for lanes in (2, 4, 8)}


def table(model: CompiledModel) -> np.ndarray:
    rng = np.random.default_rng(11)
    return model.default_parameters * np.exp(0.4 * rng.standard_normal((SUBJECTS, len(model.parameters))))


def dosing(model: CompiledModel, subjects: list[int]) -> EventTable:
    """Each subject has a number of doses of its own, and some an infusion that starts and stops."""
    give = model.parameters.index("give")
    rows = []
    for place, subject in enumerate(subjects):
        rows += [(place, 7.3 * (d + 1) + subject, ADD_STATE, 12, 1.0 + subject) for d in range(subject % 4)]
        if subject % 3 == 0:
            rows += [(place, 20.0, SET_PARAMETER, give, 45.0), (place, 31.7, SET_PARAMETER, give, 0.0)]
    return EventTable.of(rows)


def run(model: CompiledModel, subjects: list[int], chunk: int = 1024, workers: int = 1) -> Solution:
    names = [*model.states, *model.observables]
    events = dosing(model, subjects)
    return model.solve(
        table(model)[subjects], TIMES, events=events, outputs=names, chunk=chunk, workers=workers
    )


def same(a: Solution, b: Solution, rows: list[int] | slice = slice(None)) -> bool:
    return a.values[rows].tobytes() == b.values.tobytes() and (a.steps[rows] == b.steps).all()


@pytest.fixture(scope="module")
def whole(models: dict[int, CompiledModel]) -> Solution:
    return run(models[8], list(range(SUBJECTS)))


def test_the_comparison_is_worth_making(whole: Solution) -> None:
    assert not whole.failures and np.isfinite(whole.values).all()
    assert len(set(whole.steps.tolist())) > SUBJECTS // 2 and whole.rejected.sum() > 0


@pytest.mark.parametrize("lanes", [2, 4, 8])
def test_bits_do_not_depend_on_the_width(
    models: dict[int, CompiledModel], whole: Solution, lanes: int
) -> None:
    assert models[lanes].kernel_id == models[8].kernel_id
    assert same(whole, run(models[lanes], list(range(SUBJECTS))))


@pytest.mark.parametrize(
    "how", [{"chunk": 1}, {"chunk": 5}, {"chunk": 16, "workers": 2}, {"chunk": 3, "workers": 4}]
)
def test_bits_do_not_depend_on_chunks_and_threads(
    models: dict[int, CompiledModel], whole: Solution, how: dict[str, int]
) -> None:
    assert same(whole, run(models[8], list(range(SUBJECTS)), **how))


def test_bits_do_not_depend_on_how_the_factor_is_compiled(
    whole: Solution, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel, "factor_functions", partial(kernel.factor_functions, straight=0))
    by_table = compile_model(sbml_text(), lanes=8, cache=False)
    assert same(whole, run(by_table, list(range(SUBJECTS))))


def test_bits_do_not_depend_on_the_company(models: dict[int, CompiledModel], whole: Solution) -> None:
    for subjects in ([17], [36, 2, 9], list(reversed(range(SUBJECTS)))):
        assert same(whole, run(models[8], subjects), subjects), subjects


def test_an_output_asked_for_alone_is_the_same(models: dict[int, CompiledModel], whole: Solution) -> None:
    model = models[8]
    alone = model.solve(
        table(model), TIMES, events=dosing(model, list(range(SUBJECTS))), outputs=["level", "X3"]
    )
    assert (alone["level"] == whole["level"]).all() and (alone["X3"] == whole["X3"]).all()


def test_given_initial_states_equal_the_models_own(models: dict[int, CompiledModel], whole: Solution) -> None:
    model = models[8]
    names, rows = [*model.states, *model.observables], list(range(SUBJECTS))
    own = model.initial(table(model))
    given = model.solve(table(model), TIMES, initial=own, events=dosing(model, rows), outputs=names)
    assert same(whole, given)
