"""Draw the picture of the README from a run: predicted beside observed, survival, P/F ratio.

    python tools/readme_picture.py RUN_FOLDER [docs/images/lanzoni-2021.png]

Needs a Chromium or Chrome on the path (or named by $CHROMIUM); nothing else of the project does.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mesolung.report.html import templates, with_plotly
from mesolung.report.page import page_content

TARGET = Path("docs/images/lanzoni-2021.png")
SIZE = (1200, 790)
MOST_BYTES = 200_000
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")

TEMPLATE = """
{% import "parts.html" as show %}
<!DOCTYPE html><html lang="en-GB"><head><meta charset="utf-8"><title>{{ title }}</title>
{% include "style.html" %}
<style>
body { padding: 16px 24px; } h1 { font-size: 1.3rem; } figure { margin-top: 12px; }
figcaption, details, .modebar { display: none !important; }
.sides { display: grid; grid-template-columns: 1fr 1fr; gap: 0 40px; align-items: start; }
.answer { font-size: 1rem; max-width: none; }
</style></head><body>
<h1>{{ title }}</h1><p class="answer">{{ answer }} <b>{{ banner }}.</b></p>
<div class="sides"><div>{{ show.figure(first) }}{{ show.figure(course) }}</div>
<div>{{ show.figure(survival, risk) }}</div></div>
<!--plotly.js-->{% include "script.html" %}</body></html>
"""


@dataclass(frozen=True)
class Kept:
    """A run as its folder keeps it.

    Attributes:
        json, manifest, bands, survival, waterfall: as the report needs them.
    """

    json: dict[str, Any]
    manifest: dict[str, Any]
    bands: Any
    survival: Any
    waterfall: Any


def read_run(folder: Path) -> Kept:
    """Read what a report shows from a run folder.

    Arguments:
        folder: as ``mesolung run`` writes it.

    Returns:
        The run.
    """
    import duckdb

    with duckdb.connect() as connection:
        tables = [
            connection.read_parquet(str(folder / f"{name}.parquet")).df()
            for name in ("bands", "survival", "waterfall")
        ]
    objects = [
        json.loads((folder / f"{name}.json").read_text(encoding="utf-8")) for name in ("result", "manifest")
    ]
    return Kept(*objects, *tables)


def picture_html(run: Kept) -> str:
    """Lay the picture out.

    Arguments:
        run: what to show.

    Returns:
        HTML with plotly.js inside.
    """
    content = page_content(run)
    course = next((f for f in content["courses"] if "P/F" in f.title), content["courses"][0])
    page = templates().from_string(TEMPLATE).render(**content, first=content["comparison"][0], course=course)
    return with_plotly(page)


def photograph(html: str, target: Path) -> None:
    """Have a browser without a window draw a page.

    Arguments:
        html: the page.
        target: PNG file to make.

    Raises:
        SystemExit: without a browser, or when it fails.
    """
    browser = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if not browser:
        raise SystemExit("no Chromium or Chrome found: install one, or name it in CHROMIUM")
    with tempfile.TemporaryDirectory() as place:
        page = Path(place, "picture.html")
        page.write_text(html, encoding="utf-8")
        quiet = [
            "headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "hide-scrollbars",
            "disable-sync", "disable-background-networking", "disable-component-update",
            f"user-data-dir={place}/profile",
            f"window-size={SIZE[0]},{SIZE[1]}", "virtual-time-budget=5000", f"screenshot={target.resolve()}",
        ]  # fmt: skip
        target.parent.mkdir(parents=True, exist_ok=True)
        command = [browser, *(f"--{option}" for option in quiet), page.as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode or not target.is_file():
        raise SystemExit(f"{browser} drew nothing: {done.stderr.strip()[-500:]}")


def main(arguments: list[str]) -> int:
    """Draw the picture.

    Arguments:
        arguments: run folder, and where to put the picture.

    Returns:
        0, or 1 when the picture is too large for a README.
    """
    if len(arguments) not in (1, 2):
        raise SystemExit(__doc__)
    target = Path(arguments[1]) if len(arguments) == 2 else TARGET
    photograph(picture_html(read_run(Path(arguments[0]))), target)
    size = target.stat().st_size
    print(f"{target}: {size / 1000:.0f} kB")
    return int(size > MOST_BYTES)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
