"""The report shows the result's own numbers, needs nothing from outside, and survives what is missing."""

from __future__ import annotations

import dataclasses
import io
import json
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.report_example import (
    STUDY,
    Made,
    made,
    made_bands,
    made_json,
    made_manifest,
    made_waterfall,
)

from mesolung.report import report_html, terminal_table
from mesolung.report.comparison import lines_of, spread_of
from mesolung.report.effects import effects_of
from mesolung.report.plan import read_plan, split_key
from mesolung.report.style import log_ticks
from mesolung.report.words import Words, words_of


class Page(HTMLParser):
    """What a browser would see: tags with attributes, text outside scripts, JSON of the figures."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.figures: list[dict[str, Any]] = []
        self.scripts = 0
        self._inside = ""
        self.feed(html)
        self.text = re.sub(r"\s+", " ", " ".join(self.words))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self._inside = "json" if dict(attrs).get("type") == "application/json" else tag
            self.scripts += self._inside == "script"

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "json":
            self.figures.append(json.loads(data))
        elif not self._inside:
            self.words.append(data)


@pytest.fixture(scope="module")
def html() -> str:
    return report_html(made())


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def console_text(result: Made, width: int = 200, **more: Any) -> str:
    from rich.console import Console

    file = io.StringIO()
    Console(file=file, width=width, color_system=None).print(terminal_table(result, **more))
    return file.getvalue()


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (6.0, 30.0, ["7", "10", "15", "20", "30"]),
        (0.4, 900.0, ["0.1", "1", "10", "100", "1,000"]),
        (1e-2, 1e8, ["0.01", "1", "100", "10,000", "10<sup>6</sup>", "10<sup>8</sup>"]),
    ],
)
def test_a_logarithmic_axis_has_several_round_marks(low: float, high: float, words: list[str]) -> None:
    ticks = log_ticks(low, high)
    assert ticks["ticktext"] == words and len(ticks["tickvals"]) == len(words)


def test_a_key_is_told_in_words() -> None:
    words = Words({"sofa": "SOFA score"}, {"il6": "log"})
    key = "sofa@7d:change:survivors:where age < 65 year and female = 1"
    told = "SOFA score at 7 d, change from baseline, among survivors, where age < 65 year and female = 1"
    assert words.endpoint(key) == told and split_key(key) == ("sofa", 168.0)
    assert words.endpoint("mortality@28d") == "mortality at 28 d"
    assert words.endpoint("state:IL6p@30h") == "IL6p at 30 h"
    assert words.measure("ratio", "il6@7d:where sofa >= 8") == "ratio of geometric means"
    assert words.measure("ratio", "il6@7d:change") == "ratio of means"


def test_report_needs_nothing_from_outside(html: str, page: Page) -> None:
    """No element loads anything, and the browser is told to refuse it anyway."""
    for tag, attributes in page.tags:
        assert tag not in ("iframe", "object", "embed", "base", "form", "img")
        assert "src" not in attributes and "srcset" not in attributes
        target = attributes.get("href", "#") or ""
        assert target.startswith("#") or target == "data:,"
    policies = [
        a["content"] for t, a in page.tags if t == "meta" and a.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policies and "default-src 'none'" in str(policies[0])
    styles = "".join(re.findall(r"<style>(.*?)</style>", html.split("<header>")[0], re.S))
    assert "@import" not in styles and "url(" not in styles
    assert html.count("plotly.js v") == 1
    assert len(html.encode()) < 8_000_000


def test_figures_are_valid_plotly(page: Page) -> None:
    """Every figure is one that plotly itself accepts, and has its numbers in a table under it."""
    import plotly.graph_objects as go

    assert len(page.figures) == len([t for t, _ in page.tags if t == "figure"]) >= 12
    for figure in page.figures:
        go.Figure(figure)
    assert len([a for t, a in page.tags if t == "button"]) == len(page.figures)


def test_every_axis_has_a_unit(page: Page) -> None:
    """Each axis that is drawn names what it shows, with a unit in brackets."""
    for figure in page.figures:
        for name, axis in figure["layout"].items():
            if (
                re.fullmatch(r"[xy]axis\d*", name)
                and axis.get("showticklabels", True)
                and axis.get("visible", True)
            ):
                assert re.search(r"\S \([^)]+\)$", axis["title"]["text"]), axis["title"]


def test_figures_tell_arms_apart_without_colour(page: Page) -> None:
    """Arms differ by line style too, and each figure has words for those who cannot see it."""
    survival = page.figures[[a["id"] for t, a in page.tags if t == "figure"].index("survival")]
    named = {t["name"]: t["line"]["dash"] for t in survival["data"] if t.get("name") in ("UC-MSC", "vehicle")}
    assert len(set(named.values())) == 2
    for _tag, attributes in [(t, a) for t, a in page.tags if "plot" in (a.get("class") or "").split()]:
        assert attributes["role"] == "img" and len(attributes["aria-label"] or "") > 40


@pytest.mark.parametrize(
    "words",
    [
        "For research, not for treatment of a patient",
        "Of 200 simulated trials, 6.5 % found a significant advantage of UC-MSC over vehicle in deaths",
        "risk ratio came out between 0.327 and 2.03 (median 0.861)",
        "risk ratio is 0.934 (90 % interval 0.714 to 1.05); the probability of any benefit is 58.5 %",
        "Of 3 published numbers, 3 lie inside",
        "1 of 12 (8.33 %)",
        "7 of 12 (58.3 %)",
        "4 (1 to 7)",
        "33.3 % (20.8 to 45.8 %)",
        "-2.91",
        "-2.23",
        "-5.14",
        "-2.41",
        "203 (SD 61)",
        "188 (140 to 244)",
        "lower 11 %, none 87 %, higher 2 %",
        "11.2 (-47.3 to 68.9)",
        "9.1 (-1.4 to 31.7)",
        "doses (UC-MSC at 0, 3 d)",
        "mean 58.6, SD 15.9",
        "mean 58.7, SD 15.7",
        "median 121.7, IQR 69.2 to 166",
        "213",
        "8,400",
        "3.1 %",
        "prior-3f2a91c0",
        "ab" * 32,
        "cd" * 32,
        "2.4.6",
        "not stated; prior given the source",
        "measured in humans",
        "step below limit",
        "3 replicates had a zero cell",
        "Registry: NCT00000000",
        "mesolung run study.toml --replicates 200 --seed 1",
    ],
)
def test_report_shows_the_results_own_numbers(page: Page, words: str) -> None:
    """Numbers of the JSON and the manifest stand in the page, rounded to three digits."""
    assert words in page.text


def test_figures_draw_the_results_own_numbers(page: Page) -> None:
    """What is drawn is what the tables hold: bands, survival, waterfall, the observed deaths."""
    by_id = dict(zip([a["id"] for t, a in page.tags if t == "figure"], page.figures, strict=True))
    bands = made_bands()
    mine = bands[(bands.arm == "vehicle") & (bands.output == "pf_ratio")]
    median = next(t for t in by_id["course-1"]["data"] if t.get("name") == "vehicle")
    np.testing.assert_allclose(median["y"], mine.p50)
    np.testing.assert_allclose(median["x"], mine.time_h / 24)
    assert by_id["course-3"]["layout"]["yaxis"]["type"] == "log"
    assert [s["x0"] for s in by_id["course-1"]["layout"]["shapes"]] == [0, 3]
    alive = [
        t["y"][0]
        for t in by_id["survival"]["data"]
        if t.get("marker", {}).get("symbol") == "diamond" and t["y"][0]
    ]
    np.testing.assert_allclose(alive, [100 - 100 / 12, 100 - 700 / 12])
    stages = [t["x"][0] for t in by_id["waterfall-1"]["data"] if t["mode"] == "markers"]
    np.testing.assert_allclose(stages, made_waterfall().p50)
    diamonds = [t for t in by_id["comparison-1"]["data"] if t.get("name") == "observed"]
    np.testing.assert_allclose(diamonds[0]["x"], [100 / 12, 700 / 12])


def test_waterfall_says_what_is_lost(page: Page) -> None:
    """Each stage names the share of the median that the stage before lost."""
    for loss in ("−8.5 %", "−14.8 %", "−22.4 %", "−92.8 %"):
        assert loss in page.text


def test_same_result_gives_the_same_report(html: str) -> None:
    """Nothing in the page depends on the clock or on chance."""
    assert report_html(made()) == html


def test_hostile_names_stay_text() -> None:
    """Markup in names from a file is shown, not run."""
    evil = '</script><script>alert("x")</script><img src=x onerror=alert(1)>'
    content = json.loads(json.dumps(made_json()).replace("UC-MSC", json.dumps(evil)[1:-1]))
    content["study"] = evil
    content["warnings"] = [evil]
    manifest = made_manifest()
    manifest["assumed_inputs"][0]["why"] = evil
    manifest["study_text"] = STUDY.replace("UC-MSC", evil.replace('"', "'"))
    bands = made_bands().replace("UC-MSC", evil)
    page = Page(report_html(made(json=content, manifest=manifest, bands=bands)))
    assert page.scripts == Page(report_html(made())).scripts
    assert not [t for t, _ in page.tags if t == "img"]
    assert evil in unescape(page.text) or evil.replace("<", "&lt;") in page.text
    for figure in page.figures:
        for trace in figure["data"]:
            assert "<script" not in json.dumps(trace) and "<img" not in json.dumps(trace)
    assert "[bold]" in console_text(made(json={**made_json(), "study": "[bold]x[/nonsense]"}))


@pytest.mark.parametrize(
    "lacking", ["observations", "contrasts", "tables", "manifest", "joint", "expected", "nulls", "one arm"]
)
def test_what_is_missing_does_not_break_the_report(lacking: str) -> None:
    """A plan without observations, one arm, empty tables, a bare manifest, numbers that are null."""
    content, result = made_json(), made()
    if lacking in ("observations", "joint"):
        content[lacking] = []
    elif lacking == "contrasts":
        content |= {"contrasts": {}, "effect": {}}
    elif lacking == "tables":
        result = made(bands=pd.DataFrame(), survival=None, waterfall=made_waterfall().iloc[:0])
    elif lacking == "manifest":
        result = made(manifest={})
    elif lacking == "expected":
        for arm in content["arms"].values():
            for cell in arm.values():
                del cell["expected"]
    elif lacking == "nulls":
        content["arms"]["UC-MSC"]["mortality@28d"] |= {
            "p05": None,
            "p50": None,
            "p95": None,
            "expected": None,
        }
        content["observations"][0] |= {
            "p05": None,
            "p50": None,
            "p95": None,
            "log_score": None,
            "inside_90": None,
        }
        content["contrasts"]["UC-MSC vs vehicle"]["mortality@28d"] |= {"p05": 0, "p95": None}
        bands = made_bands()
        bands.loc[bands.output == "il6", ["p05", "p50"]] = np.nan
        result = made(bands=bands)
    elif lacking == "one arm":
        content |= {
            "arms": {"UC-MSC": content["arms"]["UC-MSC"]},
            "contrasts": {},
            "effect": {},
            "observations": content["observations"][:1],
        }
    result = dataclasses.replace(result, json=content)
    page = Page(report_html(result))
    assert "For research, not for treatment of a patient" in page.text
    assert "nan" not in page.text.lower().split()
    assert "For research, not for treatment of a patient" in console_text(result)


def test_numbers_that_are_not_finite_are_dashes() -> None:
    """An infinite ratio or an effect that nobody could compute is shown as unknown, not as "nan"."""
    content = made_json()
    content["contrasts"]["UC-MSC vs vehicle"]["mortality@28d"]["p95"] = float("inf")
    content["effect"]["UC-MSC vs vehicle"]["mortality@28d"] |= {
        "p05": np.float64("nan"),
        "p50": float("nan"),
        "p95": float("nan"),
        "p_benefit": float("nan"),
    }
    page = Page(report_html(made(json=content)))
    assert "0.861 (0.327 to –)" in page.text and "– (–)" in page.text
    assert "0.861 (0.327 to –)" in console_text(made(json=content))


def test_repeat_command_is_built_from_the_result() -> None:
    """Without a recorded command the page gives one that states replicates and seed."""
    manifest = {k: v for k, v in made_manifest().items() if k != "command"}
    page = Page(report_html(made(manifest=manifest | {"draws": 50})))
    assert "mesolung run study.toml --replicates 200 --draws 50 --seed 1" in page.text


def test_long_runs_are_thinned_and_say_so() -> None:
    """Hourly times of four weeks are drawn every few hours, ends included, and the caption says so."""
    times = np.arange(0, 673.0)
    bands = pd.DataFrame(
        {
            "arm": "a",
            "output": "x",
            "label": "X",
            "unit": "mmHg",
            "time_h": times,
            "p05": times,
            "p25": times,
            "p50": times,
            "p75": times,
            "p95": times,
        }
    )
    page = Page(report_html(made(bands=bands)))
    assert "Every 6th of the stored times is shown" in page.text
    drawn = next(t for f in page.figures for t in f["data"] if t.get("name") == "a")
    assert drawn["x"][0] == 0 and drawn["x"][-1] == 28


def test_report_is_written_once(tmp_path: Path) -> None:
    """The file holds the report; an existing one is refused."""
    from mesolung import Refusal, write_report

    write_report(made(), tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == report_html(made())
    with pytest.raises(Refusal):
        write_report(made(), tmp_path / "report.html")


def test_terminal_table_fits_and_agrees() -> None:
    """At most 100 columns, the same numbers, and the research-only line."""
    text = console_text(made(), folder="runs/x-1")
    assert max(len(line) for line in text.splitlines()) <= 100
    flat = re.sub(r"\s+", " ", text)
    for words in (
        "4 (1 to 7)",
        "1 of 12",
        "0.861",
        "6.5 %",
        "0.934",
        "58.5 %",
        "warning:",
        "2 subjects",
        "runs/x-1",
        "For research, not for treatment of a patient.",
    ):
        assert words in flat


def test_an_observation_in_kpa_is_shown_in_kpa() -> None:
    """The result's numbers are in the printed unit already; the expected value joins them on that axis."""
    study = STUDY.replace(
        'mean = 203\nsd = 61\nn = 11\nunit = "mmHg"', 'mean = 20\nsd = 6\nn = 11\nunit = "kPa"'
    )
    assert study != STUDY
    found = made_json()
    entry = next(o for o in found["observations"] if o["statistic"] == "mean")
    entry.update(observed=20.0, p05=19.0, p50=25.0, p95=32.0)
    line = next(x for x in lines_of(found, read_plan(study), words_of([])) if x.observation is entry)
    assert line.unit == line.unit_text() == line.axis_unit == line.expected_unit == "kPa"
    assert (line.observed_text(), line.predicted_text()) == ("20 (SD 6)", "25 (19 to 32)")
    assert spread_of(line) == (14.0, 26.0)
    expected = found["arms"]["UC-MSC"]["pf_ratio@7d"]["expected"]
    assert line.expected is not None
    assert line.expected["p50"] == pytest.approx(expected["p50"] * 0.133322387415)


def test_a_ratio_on_the_log_scale_is_said_to_be_of_geometric_means() -> None:
    found = made_json()
    ratio = {"measure": "ratio", "p05": 0.5, "p50": 0.8, "p95": 1.2, "p_success": 0.2}
    pair = found["contrasts"]["UC-MSC vs vehicle"]
    pair |= {"il6@6d": ratio, "pf_ratio@7d": ratio}
    said = {e.endpoint: e.measure_words for e in effects_of(found, read_plan(STUDY), words_of([]))}
    assert said["il6@6d"] == "ratio of geometric means" and said["pf_ratio@7d"] == "ratio of means"
