"""A stiff network in the manner of a disease model, of any size: cells and mediators that call each other."""

from __future__ import annotations

import antimony
import numpy as np


def network(size: int, seed: int = 1, links: int = 3) -> tuple[str, dict[str, str], dict[str, float]]:
    """Generate a model.

    Arguments:
        size: number of states.
        seed: which model.
        links: influences on each state.

    Returns:
        The model as Antimony text, the rate of each state as Python text, and the value of each parameter.
        Rates differ by a factor of a thousand, influences are Hill terms with exponents that are parameters,
        and one state is a body compartment that doses go into.
    """
    rng = np.random.default_rng(seed)
    values: dict[str, float] = {}
    rates: dict[str, str] = {}
    for i in range(size):
        values[f"d{i}"] = float(np.exp(rng.uniform(np.log(0.01), np.log(10.0))))
        values[f"s{i}"] = values[f"d{i}"] * float(rng.uniform(0.2, 0.8))
        up, down = [], []
        others = [j for j in range(size) if j != i]
        for number, j in enumerate(rng.choice(others, size=min(links, len(others)), replace=False)):
            k, n, e = f"k{i}_{j}", f"n{i}_{j}", f"e{i}_{j}"
            values[k], values[n] = float(rng.uniform(0.5, 2.0)), float(rng.uniform(1.0, 3.0))
            values[e] = float(rng.uniform(0.5, 3.0))
            hill = f"max(X{j}, 0)^{n}/({k}^{n} + max(X{j}, 0)^{n})"
            (up if number % 2 == 0 else down).append(f"{e}*{hill}")
        gain = f"(1 + {' + '.join(up)})"
        loss = f"(1 + {' + '.join(down)})" if down else "1"
        rates[f"X{i}"] = f"s{i}*{gain}/{loss} - d{i}*X{i}"
    # A dose passes from X0 to X1 as through a saturable barrier.
    values["vmax"], values["km"] = 2.0, 0.5
    rates["X0"] += " - vmax*X0/(km + X0)"
    rates["X1"] += " + vmax*X0/(km + X0)"
    lines = ["model network"]
    lines += [f"  X{i} = 1;" for i in range(size)]
    lines += [f"  {name} = {value!r};" for name, value in values.items()]
    lines += [f"  {state}' = {rate};" for state, rate in rates.items()]
    lines += ["  total := " + " + ".join(f"X{i}" for i in range(size)) + ";", "end"]
    return "\n".join(lines), rates, values


def to_sbml(text: str) -> str:
    """Translate Antimony text to SBML.

    Arguments:
        text: one model.

    Returns:
        SBML text.

    Raises:
        ValueError: when Antimony does not take it.
    """
    antimony.clearPreviousLoads()
    if antimony.loadAntimonyString(text) < 0:
        raise ValueError(antimony.getLastError())
    return str(antimony.getSBMLString(antimony.getMainModuleName()))
