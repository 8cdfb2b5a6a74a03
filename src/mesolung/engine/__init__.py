"""Any SBML model, compiled to machine code and solved for many subjects at once; knows nothing of biology."""

from mesolung.engine.errors import EngineError as EngineError
from mesolung.engine.errors import SubjectFailure as SubjectFailure
from mesolung.engine.events import EventTable as EventTable
from mesolung.engine.infusions import infusion_parameter as infusion_parameter
from mesolung.engine.layout import ADD_PARAMETER as ADD_PARAMETER
from mesolung.engine.layout import ADD_STATE as ADD_STATE
from mesolung.engine.layout import SET_PARAMETER as SET_PARAMETER
from mesolung.engine.layout import SET_STATE as SET_STATE
from mesolung.engine.solve import CompiledModel as CompiledModel
from mesolung.engine.solve import Solution as Solution
from mesolung.engine.solve import compile_model as compile_model

__all__ = [
    "ADD_PARAMETER",
    "ADD_STATE",
    "SET_PARAMETER",
    "SET_STATE",
    "CompiledModel",
    "EngineError",
    "EventTable",
    "Solution",
    "SubjectFailure",
    "compile_model",
    "infusion_parameter",
]
