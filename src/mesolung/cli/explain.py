"""`mesolung explain`: what a name means, where its number comes from, and which law holds it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches

from mesolung.cli.entry import Entry, listed, record, spelled
from mesolung.cli.explain_animals import animal_entries
from mesolung.cli.explain_disease import disease_entries, group_entries
from mesolung.cli.explain_model import (
    constant_entries,
    event_entries,
    module_entries,
    observable_entries,
    state_entries,
    with_dependencies,
)
from mesolung.cli.explain_parameters import parameter_entries
from mesolung.cli.explain_tables import (
    background_entries,
    covariate_entries,
    endpoint_entries,
    reserved_entries,
    route_entries,
    source_entries,
)
from mesolung.reading import Refusal

# Every list by the plural that the command takes, in the order in which meanings of one name are told.
LISTS: dict[str, Callable[[], Iterable[Entry]]] = {
    "states": state_entries,
    "observables": observable_entries,
    "parameters": parameter_entries,
    "endpoints": endpoint_entries,
    "covariates": covariate_entries,
    "backgrounds": background_entries,
    "routes": route_entries,
    "sources": source_entries,
    "diseases": disease_entries,
    "modules": module_entries,
    "reserved": reserved_entries,
}
# What has a meaning and no list of its own.
UNLISTED: tuple[Callable[[], Iterable[Entry]], ...] = (
    constant_entries,
    event_entries,
    group_entries,
    animal_entries,
)
NEAREST = 3


def explain_name(name: str, as_json: bool = False) -> None:
    """Print what a name means, or a list of names.

    Arguments:
        name: anything that a study file, a table or the model calls by name; or the plural of a kind, for its
            list. A name is found whatever the case of its letters, so that "il6" tells of the endpoint il6,
            the state IL6 and whatever else has the name.
        as_json: print one JSON object with the same content: name, and meanings or list.

    Raises:
        Refusal: for a name that nothing has, with the nearest ones.
    """
    if name in LISTS:
        entries = list(LISTS[name]())
        if as_json:
            _print_json({"list": name, "entries": [record(entry) for entry in entries]})
        elif entries:
            print("\n".join(listed(entries)))
        return
    entries = list(_everything())
    found = meanings(name, entries)
    if not found:
        raise _unknown(name, [entry.name for entry in entries])
    found = with_dependencies(found)
    if as_json:
        _print_json({"name": name, "meanings": [record(entry) for entry in found]})
    else:
        print("\n\n".join("\n".join(spelled(entry)) for entry in found))


def meanings(name: str, entries: Iterable[Entry]) -> list[Entry]:
    """Find everything that has a name.

    Arguments:
        name: as the user wrote it.
        entries: everything there is.

    Returns:
        entries of exactly this name, then those that differ in the case of letters alone.
    """
    same = [entry for entry in entries if entry.name.casefold() == name.casefold()]
    return sorted(same, key=lambda entry: entry.name != name)


def _everything() -> Iterator[Entry]:
    for source in (*LISTS.values(), *UNLISTED):
        yield from source()


def _unknown(name: str, names: list[str]) -> Refusal:
    lists = f"the lists {', '.join(LISTS)}"
    folded: dict[str, list[str]] = {}
    for known in dict.fromkeys((*names, *LISTS)):
        folded.setdefault(known.casefold(), []).append(known)
    close = get_close_matches(name.casefold(), folded, n=NEAREST, cutoff=0.5)
    near = [known for key in close for known in folded[key]]
    return Refusal(
        "unknown name", found=name, allowed=f"perhaps {', '.join(near)}; {lists}" if near else lists
    )


def _print_json(content: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
