"""Laws of the model as LaTeX, with the model's own names."""

from __future__ import annotations

import libsbml

from mesolung.biology.laws import RATE, Law

# A law that would be longer than so many characters on paper has a line for each of its terms.
WIDE = 80
_SUM, _PRODUCT, _POWER, _ATOM = 1, 2, 3, 4
_CALLS = {
    libsbml.AST_FUNCTION_MAX: r"\max",
    libsbml.AST_FUNCTION_MIN: r"\min",
    libsbml.AST_FUNCTION_EXP: r"\exp",
    libsbml.AST_FUNCTION_LN: r"\ln",
}


def law_as_maths(law: Law) -> str:
    """Write a rate law or rule as LaTeX.

    Arguments:
        law: with a right-hand side that libSBML can read; no event.

    Returns:
        LaTeX for a block of its own. Names stand as in the model; the unit "dimensionless" is left out.

    Raises:
        ValueError: for a formula that cannot be read or holds an operation without a form here.
    """
    tree = libsbml.parseL3Formula(law.text)
    if tree is None:
        raise ValueError(f"{law.place}: {libsbml.getLastParseL3Error()}")
    left = rf"\frac{{d\,{name(law.name)}}}{{dt}}" if law.kind == RATE else name(law.name)
    terms = _terms(tree)
    if len(terms) == 1 or len(law.text) < WIDE:
        return f"{left} = {_joined(terms)}"
    lines = [rf"{left} ={{}}& {_joined(terms[:1])}"]
    lines += [rf"&{sign} {_wrapped(part, _PRODUCT)}" for sign, part in terms[1:]]
    return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"


def name(symbol: str) -> str:
    """Write a name upright, as it stands in the model."""
    return rf"\mathrm{{{symbol}}}".replace("_", r"\_")


def _terms(tree: libsbml.ASTNode) -> list[tuple[str, libsbml.ASTNode]]:
    """The terms of a sum with their signs."""
    kind, count = tree.getType(), tree.getNumChildren()
    if kind == libsbml.AST_PLUS:
        return [term for i in range(count) for term in _terms(tree.getChild(i))]
    if kind == libsbml.AST_MINUS and count == 2:
        return [*_terms(tree.getChild(0)), ("-", tree.getChild(1))]
    return [("+", tree)]


def _joined(terms: list[tuple[str, libsbml.ASTNode]]) -> str:
    text = "".join(f" {sign} {_wrapped(part, _PRODUCT)}" for sign, part in terms)
    return text.removeprefix(" + ").strip()


def _wrapped(tree: libsbml.ASTNode, least: int) -> str:
    """The formula, in brackets where it binds less than its surroundings."""
    text, binding = _written(tree)
    return text if binding >= least else rf"\left({text}\right)"


def _written(tree: libsbml.ASTNode) -> tuple[str, int]:
    kind = tree.getType()
    parts = [tree.getChild(i) for i in range(tree.getNumChildren())]
    if tree.isNumber():
        return _number(tree), _ATOM
    if kind == libsbml.AST_NAME:
        return name(tree.getName()), _ATOM
    if kind == libsbml.AST_PLUS or (kind == libsbml.AST_MINUS and len(parts) == 2):
        return _joined(_terms(tree)), _SUM
    if kind == libsbml.AST_MINUS:
        return f"-{_wrapped(parts[0], _PRODUCT)}", _SUM
    if kind == libsbml.AST_TIMES:
        first = parts[0]
        if first.getType() == libsbml.AST_MINUS and first.getNumChildren() == 1:
            inside = (_wrapped(part, _PRODUCT) for part in (first.getChild(0), *parts[1:]))
            return "-" + r" \cdot ".join(inside), _SUM
        return r" \cdot ".join(_wrapped(part, _PRODUCT) for part in parts), _PRODUCT
    if kind == libsbml.AST_DIVIDE:
        return rf"\frac{{{_written(parts[0])[0]}}}{{{_written(parts[1])[0]}}}", _PRODUCT
    if kind in (libsbml.AST_POWER, libsbml.AST_FUNCTION_POWER):
        return f"{_wrapped(parts[0], _ATOM)}^{{{_written(parts[1])[0]}}}", _POWER
    if kind in _CALLS:
        inside = r",\ ".join(_written(part)[0] for part in parts)
        return rf"{_CALLS[kind]}\left({inside}\right)", _ATOM
    raise ValueError(f"no LaTeX for {tree.getName() or tree.getOperatorName()}")


def _number(tree: libsbml.ASTNode) -> str:
    text = f"{tree.getValue():g}"
    unit = tree.getUnits()
    if not unit or unit == "dimensionless":
        return text
    return rf"{text}\ \mathrm{{{unit.replace('_per_', '/')}}}"
