"""Infusions into any state of any model: a rate parameter that the model itself does not have."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from mesolung.engine.errors import EngineError
from mesolung.engine.system import System


def infusion_parameter(state: str) -> str:
    """Name the parameter that holds the rate at which a state is infused.

    Arguments:
        state: the state's name.

    Returns:
        ``STATE.infusion``; a name of SBML has no dot in it, so that it is always free.
    """
    return f"{state}.infusion"


def with_infusions(system: System, states: Iterable[str]) -> System:
    """Add a rate parameter, 0 by default, to the rates of some states.

    Arguments:
        system: the equations.
        states: which states; none leaves the system as it is.

    Returns:
        The equations in which each of these states also rises by its `infusion_parameter` a time unit, in
        the state's own unit, as a bolus is.

    Raises:
        EngineError: for a name that is not a state; ``found`` holds it.
    """
    wanted = tuple(dict.fromkeys(states))
    if not wanted:
        return system
    graph, rates, units = system.graph, list(system.rates), dict(system.units)
    for k, name in enumerate(wanted):
        if name not in system.states:
            raise EngineError(
                "the model has no state of that name to infuse", found=name, allowed=", ".join(system.states)
            )
        i = system.states.index(name)
        rates[i] = graph.add(rates[i], graph.parameter(len(system.parameters) + k))
        units[infusion_parameter(name)] = f"{units[name]}/time" if units.get(name) else ""
    return replace(
        system,
        rates=tuple(rates),
        parameters=(*system.parameters, *map(infusion_parameter, wanted)),
        defaults=np.append(system.defaults, np.zeros(len(wanted))),
        units=units,
    )
