"""One rule says where everything that is kept between runs lies."""

from __future__ import annotations

from pathlib import Path

import platformdirs
import pytest

from mesolung.execution import cache_folder


def test_the_environment_names_the_folder_and_each_thing_has_its_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MESOLUNG_CACHE", str(tmp_path))
    assert cache_folder("kernels") == tmp_path / "kernels"
    assert cache_folder("libraries") == tmp_path / "libraries"
    assert not cache_folder("kernels").exists()


@pytest.mark.parametrize("value", [None, ""])
def test_without_it_the_system_says_where(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    if value is None:
        monkeypatch.delenv("MESOLUNG_CACHE", raising=False)
    else:
        monkeypatch.setenv("MESOLUNG_CACHE", value)
    users = Path(platformdirs.user_cache_dir("mesolung", appauthor=False))
    assert cache_folder("kernels") == users / "kernels"
