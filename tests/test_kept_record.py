"""Commands that make records: printed, kept whole, refused without a trace."""

import json
from pathlib import Path

import pytest

from mesolung.calibration.kept_record import keep, record_command
from mesolung.reading import Refusal


def made(draws: int, courses: int, *, seed: int, workers: int) -> dict:
    if seed == 13:
        raise Refusal("no such seed", found="13", allowed="another")
    return {"draws": draws, "courses": courses, "seed": seed}


def run(to: Path, *arguments: str) -> int:
    return record_command(
        arguments,
        name="mesolung.calibration.none",
        about="None.",
        draws=4,
        courses=2,
        make=made,
        lines=lambda record: [f"{record['draws']} draws"],
        text=lambda record: json.dumps(record) + "\n",
        to=to,
    )


def test_a_record_is_kept_only_when_asked(tmp_path, capsys):
    to = tmp_path / "none.json"
    assert run(to) == 0 and not to.exists()
    assert capsys.readouterr().out == "4 draws\n"
    assert run(to, "--write", "--draws", "7", "--json") == 0
    assert json.loads(capsys.readouterr().out) == json.loads(to.read_text(encoding="utf-8"))
    assert json.loads(to.read_text(encoding="utf-8")) == {"draws": 7, "courses": 2, "seed": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["none.json"]


def test_a_refusal_leaves_the_record_as_it_was(tmp_path, capsys):
    to = tmp_path / "none.json"
    keep("before\n", to)
    assert run(to, "--write", "--seed", "13") == 2
    assert "no such seed" in capsys.readouterr().err
    assert to.read_text(encoding="utf-8") == "before\n"


@pytest.mark.parametrize("options", [["--draws", "0"], ["--workers", "none"], ["--nothing"]])
def test_options_that_cannot_be_are_refused(tmp_path, options):
    with pytest.raises(SystemExit) as left:
        run(tmp_path / "none.json", *options)
    assert left.value.code == 2
