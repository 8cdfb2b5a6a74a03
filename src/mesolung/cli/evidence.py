"""`mesolung evidence`: which published studies the package holds, and what one of them observed."""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from mesolung.cli.entry import Entry as Told
from mesolung.cli.entry import listed, record, spelled
from mesolung.study.catalogue import Entry, entry, groups, selected

# The key that says how an observation is stated -> how it is told.
FORMS = ("order", "direction", "contrast", "event_count", "events", "mean", "median", "value")


def print_evidence(name: str | None, disease: str | None, kind: str | None, as_json: bool = False) -> None:
    """Print the list of published studies, or one of them with its sources.

    Arguments:
        name: of a study; None for the list.
        disease, kind: of the list, None for any.
        as_json: print one JSON object, nothing else.

    Raises:
        Refusal: for a name, disease or kind that no study has; or a filter beside a name.
    """
    if name is not None:
        from mesolung.reading import Refusal

        if disease or kind:
            raise Refusal("a filter beside the name of a study", found=disease or kind, allowed="one of them")
        _print_one(entry(name), as_json)
        return
    found = selected(disease, kind)
    if as_json:
        of = [{**_record(one), "sources": list(one.sources)} for one in found]
        _json({"studies": of, "observations": sum(one.observations for one in found)})
        return
    rows = [
        Told(one.name, "study", one.title, {}, (one.folder, one.disease or "-", str(one.observations)))
        for one in found
    ]
    if rows:
        print("\n".join(listed(rows)))
    total = sum(one.observations for one in found)
    print(f"{len(found)} studies, {total} observations; mesolung evidence NAME shows one")


def _record(one: Entry) -> dict[str, Any]:
    return {
        "name": one.name, "folder": one.folder, "title": one.title, "kind": one.kind, "disease": one.disease,
        "species": one.species, "observations": one.observations, "numbers": one.numbers,
        "file": str(one.path),
    }  # fmt: skip


def _print_one(one: Entry, as_json: bool) -> None:
    written = tomllib.loads(one.path.read_text(encoding="utf-8"))
    of = groups(one.name)
    told = Told(
        one.name, "study", one.title,
        {
            "evidence": one.folder, "kind": one.kind, "disease": one.disease, "species": one.species,
            "registry": str(written.get("registry", "")), "about": tuple(_about(one)),
            "arms": tuple(_arms(written)),
            "observations": tuple(f"{_observation(o)}  [{g}]" for o, g in zip(_of(written), of, strict=True)),
            "sources": one.sources, "file": str(one.path),
        },
    )  # fmt: skip
    if as_json:
        observed = [{**o, "group": g} for o, g in zip(_of(written), of, strict=True)]
        _json({**record(told), **_record(one), "sources": list(one.sources), "observed": observed})
    else:
        print("\n".join(spelled(told)))


def _about(one: Entry) -> Iterator[str]:
    """The lines of comment that stand above the file's first key."""
    for line in one.path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            return
        yield line.removeprefix("# ")


def _of(written: Mapping[str, Any]) -> list[dict[str, Any]]:
    return list(written.get("observation", []))


def _arms(written: Mapping[str, Any]) -> Iterator[str]:
    for arm in written.get("arm", []):
        given = "; ".join(_treatment(t) for t in arm.get("treatment", []))
        size = arm.get("size", "unknown")
        words = [f"{arm['name']}, n {'not printed' if size == 'unknown' else size}", given]
        words.append("control" if arm.get("control") else "")
        yield ": ".join(word for word in words if word)


def _treatment(treatment: Mapping[str, Any]) -> str:
    product = treatment["product"]
    what = " ".join(str(product[k]) for k in ("name", "source", "type") if k in product)
    told = [str(treatment[k]) for k in ("dose", "route") if k in treatment and treatment[k] != "unknown"]
    times = treatment.get("times", "unknown")
    if isinstance(times, list):
        told.append("at " + ", ".join(times))
    return ", ".join([what, *told])


def _observation(one: Mapping[str, Any]) -> str:
    """One observation as a line: of whom, what, when, and the number as it is written."""
    arm = one.get("arm", one.get("order", ""))
    who = " + ".join(arm) if isinstance(arm, list) else arm
    if "order" in one:
        who = " > ".join(one["order"])
    form = next(form for form in FORMS if form in one)
    number = {
        "events": f"{one.get('events')} of {one.get('n')}",
        "event_count": f"{one.get('event_count')} events",
        "direction": f"{one.get('direction')} than {one.get('versus')}",
        "contrast": f"{one.get('contrast')} {one.get('value')} against {one.get('versus')}",
        "order": "best first",
    }.get(form, f"{form} {one.get(form)}")
    if one.get("direction") == "none":
        number = f"no different from {one['versus']}"
    spread = [f"{k} {one[k]}" for k in ("sd", "se", "iqr", "ci95", "p") if k in one]
    n = [f"n {one['n']}"] if "n" in one and form != "events" else []
    unit = [one["unit"]] if "unit" in one else []
    where = [f"where {one['where']}"] if "where" in one else []
    as_ = [one["as"].replace("_", " ")] if "as" in one else []
    words = ", ".join([*as_, " ".join([number, *unit]), *spread, *n, *where])
    return f"{who}: {one['endpoint']} at {one.get('time', 'the end')}: {words}"


def _json(content: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(content, indent=2, ensure_ascii=False, sort_keys=True) + "\n")
