"""What stands below a state on the pathway map: drivers, and what acts on it from other modules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mesolung.biology.dependencies import Dependency
from mesolung.biology.laws import ModelText

# Rules whose states act together on much of the map. Where all of them do, with one sign, the rule's name
# stands for their names; the legend says which they are.
SHORTHANDS = ("secreting", "secretors", "MSC_silent", "MSC_living", "bacteria_signal")


def shorthands(text: ModelText) -> dict[str, tuple[str, ...]]:
    """Find the states that each of `SHORTHANDS` stands for.

    Arguments:
        text: the modules.

    Returns:
        rule -> the states that it depends on, directly or through rules, in the model's order; rules that the
        model has not are left out.
    """
    return {name: _states_of(name, text) for name in SHORTHANDS if name in text.observables}


def short_words(
    acting: Sequence[Dependency], known: Mapping[str, Sequence[str]]
) -> list[tuple[str, str, bool]]:
    """Say what acts, with a rule's name for its states where all of them act with one sign.

    Arguments:
        acting: dependencies of one target.
        known: rule -> states, as `shorthands` finds them.

    Returns:
        (name, sign, whether it is a rule's) in the order of the dependencies. No state is lost, and a rule's
        name stands for none that does not act.
    """
    signs = {e.source: e.sign for e in acting}
    named: dict[str, str] = {}
    for rule, states in known.items():
        own = {signs.get(state) for state in states}
        new = [state for state in states if state not in named]
        if len(own) == 1 and None not in own and len(new) > 1:
            named.update(dict.fromkeys(new, rule))
    words = [(named.get(e.source, e.source), e.sign, e.source in named) for e in acting]
    return list(dict.fromkeys(words))


def _states_of(rule: str, text: ModelText) -> tuple[str, ...]:
    names, seen = [rule], {rule}
    while names:
        law = text.law(names.pop())
        for name in law.names if law is not None and law.name not in text.states else ():
            if name not in seen:
                seen.add(name)
                names.append(name)
    return tuple(state for state in text.states if state in seen)
