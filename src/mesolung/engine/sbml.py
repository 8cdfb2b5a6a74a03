"""SBML to a `System`: read, flatten, check, and refuse by name what the engine does not serve."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import libsbml

from mesolung.engine.errors import EngineError
from mesolung.engine.sbml_system import system_of
from mesolung.engine.system import System

# Packages that say nothing about the mathematics, or only functions that are served or refused one by one.
_HARMLESS = {"layout", "render", "groups", "l3v2extendedmath"}


def read_sbml(source: str | Path) -> System:
    """Read a model.

    Arguments:
        source: a path to an SBML file, or SBML text (text starts with ``<``).

    Returns:
        The model as a system of equations. A parameter, a compartment or a constant species whose value is
        given as a number is a parameter; one with an initial assignment is a derived constant; what an
        assignment or algebraic rule determines is an observable; species that reactions change and targets of
        rate rules and events are states, in the unit that their symbol has in formulas. A concentration in a
        compartment that changes is an observable, and its amount is a state ``NAME.amount``.

    Raises:
        EngineError: when the text is not SBML, or uses what the engine does not serve; by name.
    """
    document, file = _read(source)
    model: Any = document.getModel()
    try:
        return system_of(model)
    except EngineError as error:
        raise EngineError(str(error), file=file) if file else error from None
    except RecursionError:
        raise EngineError("a formula is nested too deeply", file=file) from None


def open_sbml(source: str | Path) -> libsbml.SBMLDocument:
    """Read a document as the engine does.

    Arguments:
        source: a path to an SBML file, or SBML text (text starts with ``<``).

    Returns:
        The document, with submodels put into the one model.

    Raises:
        EngineError: when it is not SBML, or needs a package that the engine does not serve.
    """
    return _read(source)[0]


def _read(source: str | Path) -> tuple[libsbml.SBMLDocument, Path | None]:
    text, file = _text(source)
    document = libsbml.readSBMLFromString(text)
    _refuse_errors(document, file)
    if document.getModel() is None:
        raise EngineError("the SBML text holds no model", file=file)
    packages = [document.getPlugin(i).getPackageName() for i in range(document.getNumPlugins())]
    for package in packages:
        if package not in {*_HARMLESS, "comp"} and document.getPackageRequired(package):
            raise EngineError(f"the engine does not serve the SBML package '{package}'", file=file)
    if "comp" in packages:
        _flatten(document, file)
    return document, file


def _refuse_errors(document: libsbml.SBMLDocument, file: Path | None) -> None:
    for i in range(document.getNumErrors()):
        error = document.getError(i)
        if error.getSeverity() >= libsbml.LIBSBML_SEV_ERROR:
            raise EngineError(
                f"not valid SBML: {' '.join(error.getMessage().split())}",
                file=file,
                line=error.getLine() or None,
            )


def _flatten(document: libsbml.SBMLDocument, file: Path | None) -> None:
    """Put the submodels of the package 'comp' into the one model."""
    if document.getPlugin("comp").getNumExternalModelDefinitions():
        raise EngineError(
            "the engine does not serve models of the SBML package 'comp' in other files", file=file
        )
    options = libsbml.ConversionProperties()
    options.addOption("flatten comp", True)
    options.addOption("performValidation", False)
    options.addOption("abortIfUnflattenable", "requiredOnly")
    if (
        document.convert(options) != libsbml.LIBSBML_OPERATION_SUCCESS
        or document.getPlugin("comp") is not None
    ):
        raise EngineError("its submodels (SBML package 'comp') cannot be put into one model", file=file)


def _text(source: str | Path) -> tuple[str, Path | None]:
    if isinstance(source, str) and source.lstrip("\ufeff \t\r\n").startswith("<"):
        return source.lstrip("\ufeff \t\r\n"), None
    path = Path(source)
    try:
        return path.read_text(encoding="utf-8"), path
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise EngineError(f"cannot be read as an SBML file: {error}", file=path) from error
