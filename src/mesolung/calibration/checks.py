"""The model beside every published target: who was met and who was missed.

python -m mesolung.calibration.checks                     a line a target, and counts
python -m mesolung.calibration.checks --only endotoxin    targets whose family or name holds the word
python -m mesolung.calibration.checks --write             writes the record of the whole comparison
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Sequence

from mesolung.biology import assemble
from mesolung.biology.parameters import Parameters, read_parameters
from mesolung.calibration import compare_covid, compare_endotoxin, compare_usual_care, compare_viral
from mesolung.calibration.check_record import RECORD, record_of, text_of
from mesolung.calibration.daily import daily
from mesolung.calibration.kept_record import keep
from mesolung.calibration.options import at_least_one
from mesolung.calibration.patients import COVID, Patients
from mesolung.calibration.verdict import ABSENT, MET, MISSED, Finding
from mesolung.calibration.volunteers import all_volunteers
from mesolung.engine import CompiledModel, compile_model
from mesolung.execution import worker_count
from mesolung.population.draws import Draws, draw_prior

DRAWS, COURSES = 64, 64
# Keys the draws; it is no run's, so that a check does not share its numbers with a study.
PURPOSE = "calibration"
FAMILIES = (compare_endotoxin.FAMILY, compare_viral.FAMILY, compare_covid.FAMILY, compare_usual_care.FAMILY)


def draws_of(count: int, parameters: Parameters | None = None) -> Draws:
    """Draw the typical values that checks use.

    Arguments:
        count: number of draws.
        parameters: a table; None for the bundled one.

    Returns:
        the draws.
    """
    return draw_prior(count, PURPOSE, parameters)


def all_findings(
    model: CompiledModel,
    draws: Draws,
    courses: int,
    *,
    families: Sequence[str] = FAMILIES,
    workers: int = 2,
    by_draw: bool = True,
    patients: Patients | None = None,
) -> list[Finding]:
    """Compare the model with the targets of some families.

    Arguments:
        model: the compiled biology.
        draws: parameter draws.
        courses: subjects of each draw in each cohort.
        families: which targets.
        workers: threads.
        by_draw: whether single draws are given for usual care, which takes most of the time.
        patients: cohorts of the same model, draws and courses, if some are made already.

    Returns:
        a finding a target, family by family.
    """
    patients = patients or Patients(model, draws, courses, workers)
    make: dict[str, Callable[[], list[Finding]]] = {
        compare_endotoxin.FAMILY: lambda: compare_endotoxin.findings(
            all_volunteers(model, draws, courses, workers=workers)
        ),
        compare_viral.FAMILY: lambda: compare_viral.findings(patients.cohort(COVID)),
        compare_covid.FAMILY: lambda: compare_covid.findings(patients.cohort(COVID)),
        compare_usual_care.FAMILY: lambda: compare_usual_care.findings(patients, by_draw=by_draw),
    }
    return [finding for family in families for finding in make[family]()]


def counts(findings: Iterable[Finding]) -> dict[str, dict[str, int]]:
    """Count verdicts, context left out.

    Arguments:
        findings: of any families.

    Returns:
        family -> verdict -> how many; "all" counts every family.
    """
    found: dict[str, dict[str, int]] = {}
    for finding in findings:
        if finding.use == "context":
            continue
        for name in (finding.family, "all"):
            line = found.setdefault(name, dict.fromkeys((MET, MISSED, ABSENT), 0))
            line[finding.verdict] += 1
    return found


def line_of(finding: Finding) -> str:
    """Write a finding on one line.

    Arguments:
        finding: any.

    Returns:
        name, published value with bounds, model's value with its interval over draws, unit, verdict, note.
    """
    published = f"published {finding.published:.3g} ({finding.low:.3g} to {finding.high:.3g})"
    model = f"model {finding.model:.3g} ({finding.model_low:.3g} to {finding.model_high:.3g})"
    verdict = finding.verdict if finding.use != "context" else f"context, {finding.verdict}"
    note = f" [{finding.note}]" if finding.note else ""
    return f"{finding.family}: {finding.name}: {published} {model} {finding.unit}: {verdict}{note}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Arguments:
        arguments: of the command line.

    Returns:
        0; targets that are missed are a result, not an error.

    Raises:
        SystemExit: 2 for an option that cannot be, or a word that no target holds.
    """
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="python -m mesolung.calibration.checks", description=__doc__, formatter_class=raw
    )
    parser.add_argument("--draws", type=at_least_one, default=DRAWS)
    parser.add_argument(
        "--courses", type=at_least_one, default=COURSES, help="subjects of each draw and cohort"
    )
    parser.add_argument("--only", default="", help="a word of the family or the name of targets")
    parser.add_argument("--json", action="store_true", help="print the record instead of lines")
    parser.add_argument("--write", action="store_true", help="write the record of the whole comparison")
    parser.add_argument("--workers", type=at_least_one, default=None)
    options = parser.parse_args(arguments)
    word = options.only.lower()
    families = [f for f in FAMILIES if word in f] or list(FAMILIES)
    if options.write and word:
        parser.error("--write writes the whole comparison: without --only")
    started = time.monotonic()
    table = read_parameters()
    model = compile_model(assemble().sbml)
    draws = draws_of(options.draws, table)
    workers = worker_count(options.workers)
    patients = Patients(model, draws, options.courses, workers)
    found = all_findings(model, draws, options.courses, families=families, workers=workers, patients=patients)
    found = [f for f in found if word in f.family or word in f.name.lower()]
    if not found:
        parser.error(f"--only: no target's family or name holds this word (found {options.only})")
    for line in patients.unsolved():
        print(line, file=sys.stderr)
    shown = {} if word else {"ards ventilated": daily(patients.enrolled("ards ventilated"))}
    made = record_of(found, counts(found), table, draws, options.courses, shown)
    if options.json:
        print(text_of(made), end="")
    else:
        for finding in found:
            print(line_of(finding))
        for family, line in counts(found).items():
            print(f"{family}: " + ", ".join(f"{line[v]} {v}" for v in (MET, MISSED, ABSENT)))
        print(f"{time.monotonic() - started:.0f} s")
    if options.write:
        keep(text_of(made), RECORD)
    return 0


if __name__ == "__main__":
    sys.exit(main())
