"""The biology as text and tables that a scientist reads: modules, parameters, endpoints, diseases."""

from mesolung.biology.assemble import Assembled as Assembled
from mesolung.biology.assemble import AssemblyError as AssemblyError
from mesolung.biology.assemble import assemble as assemble

__all__ = ["Assembled", "AssemblyError", "assemble"]
