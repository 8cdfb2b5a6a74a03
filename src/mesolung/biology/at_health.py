"""Laws written out at health, where most of their terms are exactly 0 and fall away."""

from __future__ import annotations

from collections.abc import Mapping

import libsbml

_POWERS = (libsbml.AST_POWER, libsbml.AST_FUNCTION_POWER)
_CHOICES = (libsbml.AST_FUNCTION_MAX, libsbml.AST_FUNCTION_MIN)
_Written = tuple[libsbml.ASTNode, bool]  # a law's text at health, and whether it is exactly 0


class AtHealth:
    """Writes laws with every state at its healthy value, so that only constants are left.

    Terms that are exactly 0 fall out of sums: x - x, and 0 times or over anything. That changes no bit of the
    result and keeps the text short: a law names laws that name laws, and all of them are written out.

    Arguments:
        known: what stands for states and for what is switched off: a number with its unit, or a parameter.
        laws: observable -> its law.
    """

    def __init__(self, known: Mapping[str, libsbml.ASTNode], laws: Mapping[str, libsbml.ASTNode]) -> None:
        self._known: dict[str, _Written] = {name: (node, _is_zero(node)) for name, node in known.items()}
        self._laws = laws

    def law(self, node: libsbml.ASTNode) -> libsbml.ASTNode:
        """Write a law at health.

        Arguments:
            node: the law.

        Returns:
            a copy, in which names stand for constants alone.
        """
        return self._written(node)[0]

    def _written(self, node: libsbml.ASTNode) -> _Written:
        if node.isName():
            name = node.getName()
            if name not in self._known:
                # Noted first, so that a law that names itself ends here and is left for libSBML to refuse.
                self._known[name] = (node, False)
                if name in self._laws:
                    self._known[name] = self._written(self._laws[name])
            text, zero = self._known[name]
            return text.deepCopy(), zero
        if node.isNumber():
            return node.deepCopy(), _is_zero(node)
        parts = [self._written(node.getChild(i)) for i in range(node.getNumChildren())]
        if node.getType() == libsbml.AST_PLUS and len(parts) > 1:
            parts = [part for part in parts if not part[1]] or parts[:1]
            if len(parts) == 1:
                return parts[0]
        if node.getType() == libsbml.AST_MINUS and len(parts) == 2 and parts[1][1]:
            return parts[0]
        zero = _makes_zero(node.getType(), parts)
        if zero and node.getType() in _CHOICES:
            return parts[0]
        return _with_parts(node, [text for text, _ in parts]), zero


def _makes_zero(kind: int, parts: list[_Written]) -> bool:
    zeros = [zero for _, zero in parts]
    if kind == libsbml.AST_TIMES:
        return any(zeros)
    if kind == libsbml.AST_DIVIDE:
        return zeros[0]
    if kind in _POWERS:
        exponent = parts[1][0]
        return zeros[0] and exponent.isNumber() and exponent.getValue() > 0.0
    if kind in _CHOICES:
        return all(zeros)
    if kind == libsbml.AST_MINUS:
        return all(zeros) or (len(parts) == 2 and _same(parts[0][0], parts[1][0]))
    return False


def _with_parts(node: libsbml.ASTNode, parts: list[libsbml.ASTNode]) -> libsbml.ASTNode:
    if len(parts) == node.getNumChildren():
        copy = node.deepCopy()
        for i, part in enumerate(parts):
            copy.replaceChild(i, part, True)
        return copy
    fewer = libsbml.ASTNode(node.getType())
    for part in parts:
        fewer.addChild(part)
    return fewer


def _same(a: libsbml.ASTNode, b: libsbml.ASTNode) -> bool:
    if a.isName() and b.isName():
        return a.getName() == b.getName()
    return a.isNumber() and b.isNumber() and a.getValue() == b.getValue()


def _is_zero(node: libsbml.ASTNode) -> bool:
    return node.isNumber() and node.getValue() == 0.0
