"""The public names of the readers are there, and importing the package imports none of their libraries."""

from __future__ import annotations

import subprocess
import sys

import mesolung.product


def test_importing_the_room_imports_no_reader() -> None:
    code = (
        "import sys, mesolung, mesolung.product\n"
        "assert not {'flowio', 'flowutils', 'scipy', 'mesolung.product.quality'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_public_name_is_there_and_says_what_it_is() -> None:
    for name in mesolung.product.__all__:
        assert getattr(mesolung.product, name).__doc__, name
