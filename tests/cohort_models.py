"""Small models and tables for the tests of cohorts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import antimony
import duckdb
import pandas as pd
import pytest

from mesolung.cli import main

# x and y fall at rates of their own; with burst > 0 x reaches infinity in finite time.
ONE = """model one
  x = 1; y = 2; k = 0.1; q = 0.2; burst = 0
  x' = burst*x^2 - k*x
  y' = -q*y
  both := x + y
end"""


def to_sbml(text: str) -> str:
    """Antimony to SBML."""
    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString(text) >= 0, antimony.getLastError()
    return str(antimony.getSBMLString(antimony.getMainModuleName()))


def write(path: Path, frame: pd.DataFrame) -> Path:
    """A data frame as the file that its name says."""
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        with duckdb.connect() as connection:
            connection.register("frame", frame)
            connection.sql("select * from frame").write_parquet(str(path))
    return path


def read(path: Path) -> pd.DataFrame:
    """A table of results."""
    if path.suffix == ".csv":
        return pd.read_csv(path, float_precision="round_trip")
    with duckdb.connect() as connection:
        return connection.sql(f"select * from read_parquet('{path}')").df()


@dataclass(frozen=True)
class Said:
    """What a command printed and how it ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict:
        """Its standard output as an object."""
        return json.loads(self.out)

    @property
    def complaint(self) -> str:
        """The last line on standard error."""
        return self.err.splitlines()[-1]


def say(capsys: pytest.CaptureFixture[str], *arguments: object) -> Said:
    """Run the command line in this process."""
    with pytest.raises(SystemExit) as left:
        main([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    assert isinstance(left.value.code, int)
    return Said(left.value.code, printed.out, printed.err)
