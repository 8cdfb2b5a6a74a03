"""What a name of the model means, in words, from wherever the model and its tables say it."""

from __future__ import annotations

import re

from mesolung.biology.annotations import read_annotations
from mesolung.biology.laws import ModelText
from mesolung.biology.parameters import Parameters
from mesolung.biology.tables import endpoints

AT_HEALTH = " at health"


def meaning_of(name: str, text: ModelText, table: Parameters) -> str:
    """Find the meaning of a state or observable.

    Arguments:
        name: of the model.
        text: the modules: the comment behind its declaration comes first, else that above its law.
        table: the parameters: a healthy value says what it is the healthy value of.

    Returns:
        the meaning, after the label of the vocabulary where the two have no word in common; "" where nothing
        is said.
    """
    said = text.meanings.get(name) or _elsewhere(name, text, table)
    label = ", ".join(
        row.label for row in read_annotations().get(name, ()) if row.qualifier in ("is", "isVersionOf")
    )
    if not said or not label:
        return said or label
    return said if _words(said) & _words(label) or name in endpoints() else f"{label}: {said}"


def _elsewhere(name: str, text: ModelText, table: Parameters) -> str:
    if name in endpoints():
        return endpoints()[name].label
    start, law = text.start(name), text.law(name)
    if start is not None and start.text in table:
        return table[start.text].meaning.removesuffix(AT_HEALTH)
    # The comment behind the first of a chain, as X1, X2, X3, speaks for all of them.
    chain = text.meanings.get(re.sub(r"\d+$", "1", name), "")
    return chain or (start.above if start is not None else "") or (law.above if law is not None else "")


def _words(text: str) -> set[str]:
    """Stems of the words that carry the sense: those of four letters and more, without an s of the plural."""
    return {word.rstrip("s") for word in re.findall(r"[a-z]{4,}|[a-z]+-\d+", text.casefold())}
