"""A model file, SBML or Antimony, compiled with the infusions that a dose table asks for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mesolung.cohort.staging import Staged
from mesolung.engine import CompiledModel, EngineError, compile_model
from mesolung.reading import Refusal

ANTIMONY = ".ant"


def model_of(path: Path, infused: Mapping[str, int], doses: Staged | None) -> CompiledModel:
    """Compile a model file.

    Arguments:
        path: SBML, or Antimony where the name ends with ``.ant``.
        infused: states that the dose table infuses, with the row that says so first.
        doses: that table.

    Returns:
        The compiled model.

    Raises:
        Refusal: for a file that cannot be read, a model that the engine does not serve, or an infusion into
            what is not a state.
    """
    source = _from_antimony(path) if path.suffix.lower() == ANTIMONY else path
    try:
        return compile_model(source, infusions=tuple(infused))
    except EngineError as error:
        if doses is None or error.found not in infused:
            raise
        raise doses.refusal(
            "the model has no state of that name",
            row=infused[str(error.found)],
            column="CMT",
            found=error.found,
            allowed=error.allowed,
        ) from None


def _from_antimony(path: Path) -> str:
    import antimony

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(f"cannot be read: {error}", file=path) from None
    antimony.clearPreviousLoads()
    if antimony.loadAntimonyString(text) < 0:
        raise Refusal(f"not Antimony: {antimony.getLastError()}", file=path)
    return str(antimony.getSBMLString(antimony.getMainModuleName()))
