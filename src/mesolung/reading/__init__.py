"""Reading files so that every refusal can say file and line."""

from mesolung.reading.refusal import Refusal
from mesolung.reading.table import Row, read_table
from mesolung.reading.toml import Document, read_toml

__all__ = ["Document", "Refusal", "Row", "read_table", "read_toml"]
