"""States of the model as endpoints: ``state:NAME``, in the model's own unit."""

from __future__ import annotations

from mesolung.biology.symbols import package_symbols
from mesolung.biology.tables import Endpoint

STATE = "state:"
# What a state may be printed in besides its own unit.
ALSO = {"Gcell": ("cells",), "MCFU": ("CFU",), "Gcopy": ("copies",), "pM": ("nM",), "mg": ("g", "ug"),
        "1": ("fraction", "percent")}  # fmt: skip


def states() -> tuple[str, ...]:
    """List the states of the model, sorted."""
    return tuple(sorted(name for name, symbol in package_symbols().items() if symbol.kind == "state"))


def state_row(name: str) -> Endpoint:
    """Make the endpoint that a state of the model is.

    Arguments:
        name: ``state:NAME``.

    Returns:
        a row as of the endpoint table: a level among survivors, with no better direction, which no disease
        lacks. Its unit is the model's, "1" where it has no dimension.

    Raises:
        KeyError: for a name that is no state.
    """
    plain = name.removeprefix(STATE)
    symbol = package_symbols()[plain]
    if symbol.kind != "state":
        raise KeyError(name)
    unit = unit_text(symbol.unit)
    return Endpoint(
        name=f"{STATE}{plain}",
        label=f"state {plain} of the model",
        unit=unit,
        accepted_units=(unit, *ALSO.get(unit, ())),
        scale="linear",
        lowest=None,
        highest=None,
        diseases=(),
        type="continuous",
        better="neither",
        needs_time=True,
        at_enrolment=True,
        value_at_death=None,
        deaths="survivors",
        matrix="model",
        species=("human",),
        subjective=False,
        minimum_important=None,
        test=None,
        default_contrast="none",
        rule="level",
        outputs=(plain,),
    )


def unit_text(unit: str) -> str:
    """Write a unit of the model as study files do.

    Arguments:
        unit: the model's name of it, as "mL_per_kg" or "dimensionless".

    Returns:
        text, as "mL/kg", "1/h" or "1".
    """
    if unit == "dimensionless":
        return "1"
    text = f"1/{unit.removeprefix('per_')}" if unit.startswith("per_") else unit
    return text.replace("_per_", "/")
