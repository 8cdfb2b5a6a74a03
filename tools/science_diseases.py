"""The diseases as tables: drivers, groups, criteria and delays, from the TOML files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import mesolung.biology
from mesolung.biology.disease import diseases
from mesolung.reading import read_toml

FOLDER = Path(mesolung.biology.__file__).parent / "diseases"
_WHERE = "../../src/mesolung/biology/diseases/"


def disease_parts(name_of: Callable[[str, str], str]) -> dict[str, str]:
    """Write what each disease file says.

    Arguments:
        name_of: links a name of the model, seen from a page.

    Returns:
        name of the disease -> Markdown.
    """
    return {disease: _disease(disease, lambda name: name_of(name, "diseases")) for disease in diseases()}


def _disease(disease: str, name_of: Callable[[str], str]) -> str:
    document = read_toml(FOLDER / f"{disease}.toml")
    values, file = document.values, f"{disease}.toml"
    source = document.text.splitlines()

    def remark(*path: str | int) -> str:
        code, mark, said = source[document.line(*path) - 1].partition("#")
        return said.strip() if mark and '"' not in code else ""

    lines = [f"File: [{file}]({_WHERE}{file}). {_said(values, name_of)}"]
    drivers = values.get("driver", [])
    if drivers:
        lines += [
            "",
            "| who | what is set | amount | when | for how long | line | remark |",
            "|---|---|---|---|---|---|---|",
        ]
    for i, driver in enumerate(drivers):
        line = document.line("driver", i)
        cells = (
            driver.get("group", "everybody"),
            name_of(driver["target"]),
            _spread(driver["amount"], name_of),
            _when(driver, name_of),
            _spread(driver["duration"], name_of) if "duration" in driver else "",
            f"[{line}]({_WHERE}{file}#L{line})",
            remark("driver", i),
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _said(values: Mapping[str, Any], name_of: Callable[[str], str]) -> str:
    said = [f"Length {values['course']['length']}."]
    onset = values.get("onset", {})
    if "observable" in onset:
        said.append(f"Onset: first time that {name_of(onset['observable'])} is above {onset['above']:g}.")
    elif "time" in onset:
        said.append(f"Onset: {onset['time']} after the start.")
    groups = values.get("group", [])
    if groups:
        said.append("Groups: " + ", ".join(f"{g['name']} {g['share']:g}" for g in groups) + ".")
    bounds = [
        f"{name_of(name)} {'at least' if side == 'min' else 'at most'} {bound:g}"
        for name, sides in values.get("criteria", {}).items()
        for side, bound in sides.items()
    ]
    said.append(f"Criteria of its own: {', '.join(bounds) or 'none'}.")
    for key, words in (
        ("delay", "from the criteria to enrolment"),
        ("delay_from_onset", "from onset to enrolment"),
    ):
        if key in values:
            said.append(f"Delay {words}: {_spread(values[key], name_of)}.")
    traits = (f"{name} {_spread(spread, name_of)}" for name, spread in values.get("covariates", {}).items())
    said.append("Covariates: " + "; ".join(traits) + ".")
    return " ".join(said)


def _when(driver: Mapping[str, Any], name_of: Callable[[str], str]) -> str:
    time = _spread(driver["time"], name_of) if "time" in driver else "start"
    if "repeat" not in driver:
        return time
    repeat = driver["repeat"]
    window = f"from {repeat['from']} to {repeat['until']}" if "from" in repeat else f"to {repeat['until']}"
    if "rate" in repeat:
        return f"by chance, {_spread(repeat['rate'], name_of)}, {window}"
    return f"{time}, then every {repeat['every']} {window}"


def _spread(spread: Mapping[str, Any], name_of: Callable[[str], str]) -> str:
    text = f"{spread['value']:g}"
    if spread.get("unit", "1") != "1":
        text += f" {spread['unit']}"
    if "sd" in spread:
        text += f" ({spread['distribution']}, SD {spread['sd']:g})"
    if "min" in spread or "max" in spread:
        ends = (f"{spread[key]:g}" if key in spread else "" for key in ("min", "max"))
        text += f", within {' to '.join(ends)}".replace("within  to", "at most")
    if "correlation" in spread:
        pairs = (f"{name_of(name)} {rho:g}" for name, rho in spread["correlation"].items())
        text += "; correlated with " + ", ".join(pairs)
    return text
