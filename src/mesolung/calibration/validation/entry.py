"""An entry of the register: a prediction as it was before its trial reported, and how to tell that it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mesolung.reading import Refusal
from mesolung.study import read_study
from mesolung.study.canonical import canonical
from mesolung.study.result import canonical as rounded
from mesolung.study.study import Study
from mesolung.writing import whole_file

SCHEMA = 1
FIRST = "0" * 64


@dataclass(frozen=True)
class Entry:
    """A registered prediction.

    Attributes:
        path: its file.
        json: what it says.
    """

    path: Path
    json: Mapping[str, Any]

    @property
    def number(self) -> int:
        """Its place in the register, from 1."""
        return int(self.json["number"])

    @property
    def sha256(self) -> str:
        """Its hash."""
        return str(self.json["sha256"])


def design_sha256(study: Study) -> str:
    """Identify a study by its plan, whether it has reported or not.

    Arguments:
        study: validated.

    Returns:
        64 hexadecimal digits of its canonical form without observations.
    """
    form = canonical(study)
    form.pop("observations", None)
    return sha256(_text(form).encode()).hexdigest()


def registered_design(entry: Entry) -> str:
    """The plan that an entry is of, as this version reads it.

    Arguments:
        entry: of the register.

    Returns:
        64 hexadecimal digits: `design_sha256` of the text that it keeps, as the format may have grown since;
        the one that it wrote down where that text cannot be read any more.
    """
    text = str(entry.json.get("study_text") or "")
    if text:
        with TemporaryDirectory() as folder, suppress(Refusal):
            file = Path(folder) / str(entry.json.get("file") or "study.toml")
            file.write_text(text, encoding="utf-8")
            return design_sha256(read_study(file))
    return str(entry.json["design_sha256"])


def entry_sha256(content: Mapping[str, Any]) -> str:
    """The hash of an entry.

    Arguments:
        content: of the entry; a hash that it holds already is left out.

    Returns:
        64 hexadecimal digits.
    """
    return sha256(_text({k: v for k, v in content.items() if k != "sha256"}).encode()).hexdigest()


def read_register(folder: Path) -> list[Entry]:
    """Read all entries of a register, and check that none was changed and none is missing.

    Arguments:
        folder: the register; it may not exist yet.

    Returns:
        entries by number.

    Raises:
        Refusal: for an entry that cannot be read or was changed, and for one that is missing between others.
    """
    found: list[Entry] = []
    before = FIRST
    for path in sorted(folder.glob("[0-9]*.json")) if folder.is_dir() else []:
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise Refusal(f"cannot be read: {error}", file=path) from None
        if not isinstance(content, dict) or content.get("schema") != SCHEMA or "sha256" not in content:
            raise Refusal("is not an entry of the register", file=path, allowed=f"schema {SCHEMA}")
        if entry_sha256(content) != content["sha256"]:
            raise Refusal(
                "was changed after it was registered; an entry stays as it is, right or wrong",
                file=path,
                found=f"sha256 {entry_sha256(content)[:12]}",
                allowed=f"{str(content['sha256'])[:12]}, restored from where it is kept",
            )
        if content.get("number") != len(found) + 1 or content.get("previous") != before:
            raise Refusal(
                "does not follow the entry before it: an entry was removed, added or replaced",
                file=path,
                found=f"number {content.get('number')}, after {str(content.get('previous'))[:12]}",
                allowed=f"number {len(found) + 1}, after {before[:12]}",
            )
        before = content["sha256"]
        found.append(Entry(path, content))
    return found


def add_entry(folder: Path, stem: str, content: Mapping[str, Any], now: datetime | None = None) -> Entry:
    """Add an entry to the register: dated, numbered, hashed, and tied to the one before it.

    Arguments:
        folder: the register.
        stem: of the file's name.
        content: what is predicted.
        now: time of registration; None for the present.

    Returns:
        the entry, whose file appears whole or not at all.

    Raises:
        Refusal: when the register is not in order, or cannot be written.
    """
    others = read_register(folder)
    moment = (now or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")
    whole: dict[str, Any] = rounded(
        {
            **content,
            "schema": SCHEMA,
            "number": len(others) + 1,
            "registered": moment,
            "previous": others[-1].sha256 if others else FIRST,
        }
    )
    whole["sha256"] = entry_sha256(whole)
    path = folder / f"{whole['number']:04d}-{moment[:10]}-{stem}-{whole['sha256'][:8]}.json"
    with whole_file(path) as place:
        text = json.dumps(whole, sort_keys=True, ensure_ascii=False, allow_nan=False, indent=1)
        place.write_text(_joined(text), encoding="utf-8")
    return Entry(path, whole)


def _joined(text: str) -> str:
    """Put the numbers of a list on one line: an entry is to be read, and compared, by people too."""
    lines: list[str] = []
    for line in text.splitlines():
        bare = line.strip()
        number = bare.rstrip(",")
        is_number = number == "null" or number.lstrip("-")[:1].isdigit()
        if lines and is_number and (lines[-1].rstrip().endswith("[") or lines[-1].endswith(", ")):
            lines[-1] += number + (", " if bare.endswith(",") else "")
        elif lines and bare.startswith("]") and lines[-1].lstrip()[:1] == '"' and "[" in lines[-1]:
            lines[-1] += bare
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
