"""A system of equations as LLVM IR, and from there as machine code."""

from __future__ import annotations

import ctypes
import hashlib
import math
from dataclasses import dataclass
from functools import cache
from itertools import chain

import llvmlite
import llvmlite.binding as llvm

from mesolung.engine import method
from mesolung.engine.crossing import crossing_function, locate_function
from mesolung.engine.dense import dense_functions
from mesolung.engine.factor import factor_functions
from mesolung.engine.ir import DECLARATIONS, widen
from mesolung.engine.layout import Layout
from mesolung.engine.lowering import Lowering, Output
from mesolung.engine.mathematics import mathematics
from mesolung.engine.output import output_functions
from mesolung.engine.pattern import factor_pattern
from mesolung.engine.rosenbrock import step_function
from mesolung.engine.schedule import schedule_functions
from mesolung.engine.system import System, Threshold


@dataclass(frozen=True)
class Program:
    """IR that holds for every width, with what is needed to run it.

    ``kernel_id`` names the operations and their order: equal ids give equal bits on every machine and width.
    """

    text: str
    layout: Layout
    kernel_id: str


def write_program(system: System) -> Program:
    """Write the program of a system.

    Arguments:
        system: the equations.

    Returns:
        The program: model functions, factor, controller, and the mathematics they call.
    """
    g, n = system.graph, len(system.states)
    low = Lowering(g, len(system.parameters), len(system.constants))
    factor = factor_pattern(n, system.jacobian)
    places = {(i, j): factor.place_of(i, j) for i, j in system.jacobian}
    entries = {k: g.const(0.0) for k in range(factor.entries)}
    entries.update({places[pair]: g.neg(node) for pair, node in system.jacobian.items()})
    linear = [Output("a", i, node) for i, node in enumerate(system.rates)]
    linear += [Output("b", k, node) for k, node in sorted(entries.items())]
    settings = list(chain.from_iterable(t.settings for t in system.thresholds))
    base = len(system.parameters)
    functions = [
        low.function("linearise", linear),
        low.function("rates", [Output("a", i, node, add=True) for i, node in enumerate(system.rates)]),
        low.function("observe", [Output("a", i, n) for i, n in enumerate((*system.laws, *system.looks))]),
        low.function("begin", [Output("a", i, node) for i, node in enumerate(system.initial)], keep=False),
        low.function("derive", [Output("a", i, d) for i, d in enumerate(system.derived)], keep=False),
    ]
    if system.timed:
        functions.append(low.function("drift", [Output("a", i, node) for i, node in enumerate(system.drift)]))
    if system.thresholds:
        watched = [Output("a", i, t.condition) for i, t in enumerate(system.thresholds)]
        beside = [value for _, value in settings]
        distances = [_distance(system, t) for t in system.thresholds]
        beside += [past for past, _ in distances]
        beside += [size for _, size in distances]
        watched += [Output("b", i, node) for i, node in enumerate(beside)]
        functions.append(low.function("watch", watched))
    functions.append(low.preparation())
    layout = Layout(
        states=n,
        width=low.width,
        entries=factor.entries,
        scratch=low.scratch,
        observables=len(system.laws) + len(system.looks),
        thresholds=len(system.thresholds),
        settings=len(settings),
        stages=method.STAGES,
        constants=len(system.constants),
    )
    controller = [
        step_function(layout, system.timed),
        dense_functions(layout),
        output_functions(layout),
        schedule_functions(layout, base, [_before(t) for t in system.thresholds]),
    ]
    if system.thresholds:
        targets = [[s for s, _ in t.settings] for t in system.thresholds]
        controller.append(crossing_function(layout, targets, any(t.pauses for t in system.thresholds)))
        controller.append(locate_function(layout))
    text = "".join([DECLARATIONS, mathematics(), factor_functions(factor), *functions, *controller])
    return Program(text, layout, hashlib.sha256(text.encode()).hexdigest()[:16])


def _distance(system: System, threshold: Threshold) -> tuple[int, int]:
    """How far a state is past a threshold, and what to judge that by: where nothing is said, the bound."""
    if threshold.past is not None and threshold.size is not None:
        return threshold.past, threshold.size
    g = system.graph
    one, other = g.args[threshold.condition]
    return g.sub(other, one), g.function("abs", one if g.invariant(one) else other)


def _before(threshold: Threshold) -> float:
    """What a condition counts as before the start; one that pauses begins with what it is there."""
    return math.nan if threshold.pauses else 1.0 if threshold.met_at_start else 0.0


@dataclass(frozen=True)
class Processor:
    """The processor that code is made for: LLVM's names for it and its features."""

    triple: str
    name: str
    features: str
    lanes: int


@cache
def this_processor() -> Processor:
    """Describe the processor of this machine, and how many subjects fit into one of its vectors."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    features = llvm.get_host_cpu_features()
    lanes = 8 if features.get("avx512f") and features.get("avx512dq") else 4 if features.get("avx2") else 2
    return Processor(llvm.get_default_triple(), llvm.get_host_cpu_name(), features.flatten(), lanes)


def _machine() -> llvm.TargetMachine:
    processor = this_processor()
    target = llvm.Target.from_triple(processor.triple)
    return target.create_target_machine(cpu=processor.name, features=processor.features, opt=2, jit=True)


def machine_code(program: Program, lanes: int) -> bytes:
    """Compile a program for this machine.

    Arguments:
        program: from `write_program`.
        lanes: subjects in a vector: 2, 4 or 8.

    Returns:
        An object file.
    """
    machine = _machine()
    module = llvm.parse_assembly(widen(program.text, lanes))
    module.triple = this_processor().triple
    module.data_layout = str(machine.target_data)
    builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=1))
    # Straight lines are written as they should be; only the loops of the controller have variables to lift.
    passes = llvm.create_new_module_pass_manager()
    passes.add_sroa_pass()
    passes.add_loop_rotate_pass()
    passes.add_simplify_cfg_pass()
    passes.run(module, builder)
    return machine.emit_object(module)


class Kernel:
    """Machine code in memory, callable from several threads at once; calls let other Python threads run."""

    def __init__(self, code: bytes) -> None:
        """Load machine code.

        Arguments:
            code: an object file from `machine_code`.

        Raises:
            RuntimeError: when it does not link.
        """
        self._jit = llvm.create_lljit_compiler(_machine())
        library = llvm.JITLibraryBuilder().add_object_img(code).add_current_process()
        self._library = library.export_symbol("solve").export_symbol("initialise").link(self._jit, "model")
        call = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
        self.solve = call(self._library["solve"])
        self.initialise = call(self._library["initialise"])


def toolchain() -> str:
    """What, besides the program, decides which machine code comes out."""
    p = this_processor()
    return f"{llvmlite.__version__} {llvm.llvm_version_info} {p.triple} {p.name} {p.features}"
