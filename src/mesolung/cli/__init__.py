"""The command line: thin commands over the rooms below."""

from mesolung.cli.main import main as main

__all__ = ["main"]
