"""An infusion into any state of any model: the analytic course, in every form a state may have."""

from __future__ import annotations

import numpy as np
import pytest
from tests.cohort_models import to_sbml

from mesolung.engine import ADD_PARAMETER, EngineError, EventTable, compile_model, infusion_parameter

TIMES = np.linspace(0.0, 10.0, 11)
FORMS = {
    "rate rule": "model m\n x = 0; k = 0.3; x' = -k*x\nend",
    "reaction": "model m\n compartment V; V = 1; species x in V; x = 0; k = 0.3; R: x -> ; k*x*V\nend",
    "concentration": "model m\n compartment V; V = 5; species x in V; x = 0; k = 0.3; R: x -> ; k*x*V\nend",
    "no law of its own": "model m\n x = 0; k = 0.3; y = 1; y' = -y; x' = -k*x\nend",
}


@pytest.mark.parametrize("form", FORMS)
def test_an_infusion_follows_its_analytic_course(form: str) -> None:
    model = compile_model(to_sbml(FORMS[form]), infusions=["x"])
    rate = model.parameters.index(infusion_parameter("x"))
    assert model.default_parameters[rate] == 0.0
    events = EventTable.of([(0, 2.0, ADD_PARAMETER, rate, 4.0), (0, 5.0, ADD_PARAMETER, rate, -4.0)])
    found = model.solve(model.default_parameters[None], TIMES, events=events, rtol=1e-9)["x"][0]
    during = 4.0 / 0.3 * (1 - np.exp(-0.3 * (np.minimum(TIMES, 5.0) - 2.0)))
    expected = np.where(TIMES < 2.0, 0.0, during * np.exp(-0.3 * np.maximum(TIMES - 5.0, 0.0)))
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_without_infusions_the_program_is_as_it_was() -> None:
    text = to_sbml(FORMS["rate rule"])
    plain, same = compile_model(text), compile_model(text, infusions=[])
    assert plain.kernel_id == same.kernel_id and plain.parameters == same.parameters
    with_one = compile_model(text, infusions=["x", "x"])
    assert with_one.parameters == (*plain.parameters, "x.infusion")
    assert with_one.kernel_id != plain.kernel_id


def test_an_infusion_into_what_is_no_state_is_refused_by_name() -> None:
    with pytest.raises(EngineError, match="no state of that name") as caught:
        compile_model(to_sbml(FORMS["rate rule"]), infusions=["k"])
    assert caught.value.found == "k" and caught.value.allowed == "x"
