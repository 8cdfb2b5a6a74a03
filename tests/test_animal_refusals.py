"""Files of species and injuries that cannot be used are refused with file and line."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from mesolung.biology.animal_disease import read_animal_disease
from mesolung.biology.species import read_species
from mesolung.reading import Refusal

SPECIES = (
    ("unknown key", 'label = "mouse"', 'label = "mouse"\ncolour = "brown"', "unknown key"),
    ("no such parameter", 'id = "lavage_yield"', 'id = "lavage"', "no parameter of the model"),
    ("one parameter twice", 'id = "wet_dry_healthy"', 'id = "lavage_yield"', "changed twice"),
    ("a factor of nothing", "value = 7.3\n", "value = 0\n", "above 0"),
    ("another unit", 'unit = "mL"', 'unit = "mg"', "wrong unit"),
    ("an assumption graded A", 'grade = "C"\n', 'grade = "A"\n', "assumed has grade C"),
    ("no weight", "value = 0.025,", "value = 0.0,", "above 0"),
)
INJURY = (
    ("unknown target", 'target = "PAMP"', 'target = "PAMPS"', "no state or parameter"),
    ("another unit", 'unit = "MCFU"', 'unit = "Gcell"', "does not fit PAMP"),
    ("two sizes", "per_unit = 0.06", "per_unit = 0.06\nrate = 1.0", "one size"),
    ("a state over time", "per_unit = 0.06", 'per_unit = 0.06\nlength = "2 h"', "at once"),
    ("a parameter for ever", 'length = "12 h"', "", "how long"),
    ("unknown basis", 'basis = "kg"', 'basis = "litre"', "unknown basis"),
    ("unknown tolerance", 'tolerance = "LPS_half"', 'tolerance = "LPS_third"', "no parameter"),
    ("unknown per", 'per = "subject"', 'per = "cage"', "unknown per"),
    ("amount in no unit of the file", 'unit = "ug/kg"\nsource', 'unit = "stones"\nsource', "unknown unit"),
    ("no source", "source = ", "reason = ", "unknown key"),
)


def _spoilt(text: str, old: str, new: str, place: Path) -> Path:
    assert old in text, old
    place.write_text(text.replace(old, new, 1))
    return place


@pytest.mark.parametrize(("name", "old", "new", "words"), SPECIES, ids=[one[0] for one in SPECIES])
def test_a_species_that_cannot_be_is_refused(
    tmp_path: Path, name: str, old: str, new: str, words: str
) -> None:
    text = (files("mesolung.biology") / "species" / "mouse.toml").read_text()
    with pytest.raises(Refusal, match=words) as refused:
        read_species(_spoilt(text, old, new, tmp_path / "mouse.toml"))
    assert str(refused.value.file).endswith("mouse.toml"), name


@pytest.mark.parametrize(("name", "old", "new", "words"), INJURY, ids=[one[0] for one in INJURY])
def test_an_injury_that_cannot_be_is_refused(
    tmp_path: Path, name: str, old: str, new: str, words: str
) -> None:
    text = (files("mesolung.biology") / "diseases" / "animals" / "lps.toml").read_text()
    with pytest.raises(Refusal, match=words) as refused:
        read_animal_disease(_spoilt(text, old, new, tmp_path / "lps.toml"))
    assert refused.value.line is not None, name
