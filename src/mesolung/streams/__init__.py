"""Random numbers with an address: counter-based streams, and the families that they move values by."""

from mesolung.streams.families import FAMILIES, typical, vary
from mesolung.streams.philox import normals, uniforms

__all__ = ["FAMILIES", "normals", "typical", "uniforms", "vary"]
