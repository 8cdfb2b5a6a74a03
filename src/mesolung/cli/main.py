"""The commands, and the exit status of everything that can go wrong in them."""

from __future__ import annotations

import os
import sys
import traceback
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from mesolung import __version__
from mesolung.cli.calibrate_command import calibrate
from mesolung.cli.discriminate_command import discriminate
from mesolung.cli.limits import MOST_DRAWS, MOST_REPLICATES
from mesolung.cli.lot_command import lot
from mesolung.cli.once import OnceCommand
from mesolung.cli.options import (
    DrawsFrom,
    Json,
    OfDisease,
    Seed,
    Source,
    StudyFile,
    Trials,
    Workers,
    folder_to_make,
)
from mesolung.cli.register_command import register
from mesolung.cli.sensitivity_command import sensitivity
from mesolung.cli.update_command import update

DONE, FAILED, REFUSED, CANCELLED = 0, 1, 2, 130


app = typer.Typer(
    name="mesolung",
    help="Virtual studies of MSC and MSC-EV therapy in lung disease. "
    "For research, not for treatment of a patient.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Contract(StrEnum):
    """The formats of which a JSON Schema can be printed."""

    study = "study"
    lot = "lot"
    result = "result"


class Form(StrEnum):
    """The formats of an export."""

    sbml = "sbml"
    antimony = "antimony"
    svg = "svg"


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mesolung {__version__}")
        raise typer.Exit(DONE)


@app.callback()
def _everywhere(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    pass


@app.command(cls=OnceCommand)
def run(
    study: StudyFile,
    replicates: Trials = 200,
    draws: Annotated[
        int | None,
        typer.Option(
            min=1, max=MOST_DRAWS, help="Parameter draws of the scores; else as many as replicates."
        ),
    ] = None,
    seed: Seed = 1,
    workers: Workers = None,
    scheduler: Annotated[str | None, typer.Option(help="Address of a cluster: not supported yet.")] = None,
    out: Annotated[Path | None, folder_to_make("runs/STEM-HASH-N")] = None,
    json: Json = False,
    release: Annotated[bool, typer.Option("--release", help="More subjects per expected value.")] = False,
    draws_from: DrawsFrom = Source.auto,
    posterior: Annotated[
        Path | None,
        typer.Option(help="A posterior of your own, as `mesolung update` makes.", metavar="FOLDER"),
    ] = None,
) -> None:
    """Simulate a study and compare with what it observed."""
    from mesolung.cli.run import run_file

    code = run_file(
        study,
        replicates=replicates,
        draws=draws,
        seed=seed,
        workers=workers,
        scheduler=scheduler,
        out=out,
        as_json=json,
        release=release,
        source=draws_from.value,
        posterior=posterior,
    )
    raise typer.Exit(code)


@app.command(cls=OnceCommand)
def cohort(
    model: Annotated[Path, typer.Argument(help="The model: SBML, or Antimony (.ant).", metavar="MODEL.xml")],
    subjects: Annotated[
        Path, typer.Argument(help="A row a subject, .csv or .parquet.", metavar="SUBJECTS.parquet")
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="The file to make, .csv or .parquet.", metavar="OUT.parquet")
    ],
    end: Annotated[float | None, typer.Option(help="Last output time, in the model's unit.")] = None,
    step: Annotated[float | None, typer.Option(help="Between output times, from 0 on.")] = None,
    times: Annotated[str | None, typer.Option(help="Output times instead, as 0,1,2.5.")] = None,
    doses: Annotated[
        Path | None, typer.Option(help="Doses as in NONMEM, .csv or .parquet.", metavar="FILE")
    ] = None,
    outputs: Annotated[str | None, typer.Option(help="Names, as A,B; else all states.")] = None,
    rtol: Annotated[float, typer.Option(help="Relative tolerance.")] = 1e-5,
    atol: Annotated[
        float | None, typer.Option(help="Absolute tolerance; else from each state's size.")
    ] = None,
    max_steps: Annotated[int, typer.Option(min=1, help="Steps before a subject is given up.")] = 20_000,
    workers: Workers = None,
    bands: Annotated[bool, typer.Option("--bands", help="Quantile bands instead of subjects.")] = False,
    quantiles: Annotated[str | None, typer.Option(help="Of the bands; else 0.05,0.5,0.95.")] = None,
    chunk: Annotated[int | None, typer.Option(min=1, help="Subjects that a thread takes at a time.")] = None,
    failures: Annotated[
        Path | None, typer.Option(help="A table of who could not be solved, to make too.", metavar="FILE")
    ] = None,
    json: Json = False,
) -> None:
    """Solve any SBML model for a table of subjects, in constant memory."""
    from mesolung.cli.cohort import cohort_file

    code = cohort_file(
        model,
        subjects,
        out,
        end=end,
        step=step,
        times=times,
        doses=doses,
        outputs=outputs,
        rtol=rtol,
        atol=atol,
        max_steps=max_steps,
        workers=workers,
        bands=bands,
        quantiles=quantiles,
        chunk=chunk,
        failures=failures,
        as_json=json,
    )
    raise typer.Exit(code)


@app.command(cls=OnceCommand)
def validate(
    folder: Annotated[
        Path | None,
        typer.Argument(
            help="A folder of study files, or one of them; else the evidence that comes with mesolung.",
            metavar="[FOLDER]",
        ),
    ] = None,
    disease: OfDisease = None,
    release: Annotated[
        bool, typer.Option("--release", help="Every stored draw, more subjects per expected value.")
    ] = False,
    bias: Annotated[
        str, typer.Option(help="Bias of published results to allow for: none, all or one by name.")
    ] = "all",
    draws: Annotated[
        int | None,
        typer.Option(min=1, max=MOST_DRAWS, help="Parameter draws; else 100, or every stored one."),
    ] = None,
    seed: Seed = 1,
    workers: Workers = None,
    out: Annotated[Path | None, folder_to_make("runs/validate-NAME-N")] = None,
    json: Json = False,
    draws_from: DrawsFrom = Source.auto,
    leave_one_out: Annotated[
        bool,
        typer.Option(
            "--leave-one-out",
            help="Predict each human trial of cells, and each study of usual care, from all others.",
        ),
    ] = False,
) -> None:
    """Predict published studies and score the predictions, beside what a constant effect would predict."""
    from mesolung.cli.validate import validate_folder

    code = validate_folder(
        folder,
        disease=disease,
        release=release,
        bias=bias,
        draws=draws,
        seed=seed,
        workers=workers,
        out=out,
        as_json=json,
        source=draws_from.value,
        leave_out=leave_one_out,
    )
    raise typer.Exit(code)


@app.command(cls=OnceCommand)
def knockout(
    study: StudyFile,
    mechanisms: Annotated[
        str | None,
        typer.Option(
            help="Mechanisms to switch off in turn, as PGE2,KYN; off together as PGE2+KYN; all-soluble; all. "
            "Else each effect and mechanism of fate, all-soluble and all.",
            metavar="NAMES",
        ),
    ] = None,
    replicates: Annotated[
        int, typer.Option(min=1, max=MOST_REPLICATES, help="Panels of subjects for each draw.")
    ] = 1,
    draws: Annotated[int, typer.Option(min=1, max=MOST_DRAWS, help="Parameter draws.")] = 100,
    seed: Seed = 1,
    workers: Workers = None,
    out: Annotated[Path | None, folder_to_make("runs/knockout-STEM-N")] = None,
    json: Json = False,
    draws_from: DrawsFrom = Source.auto,
) -> None:
    """Switch off each mechanism in turn: what carries which endpoint of a study."""
    from mesolung.cli.knockout import knockout_file

    code = knockout_file(
        study,
        mechanisms=mechanisms,
        replicates=replicates,
        draws=draws,
        seed=seed,
        workers=workers,
        out=out,
        as_json=json,
        source=draws_from.value,
    )
    raise typer.Exit(code)


app.command(cls=OnceCommand)(register)


app.command(cls=OnceCommand)(calibrate)
app.command(cls=OnceCommand)(sensitivity)
app.command(cls=OnceCommand)(discriminate)
app.command(cls=OnceCommand)(update)
app.command(cls=OnceCommand)(lot)


@app.command(cls=OnceCommand)
def evidence(
    name: Annotated[
        str | None, typer.Argument(help="A study, to show it with its sources; else the list.")
    ] = None,
    disease: OfDisease = None,
    kind: Annotated[
        str | None,
        typer.Option(help="Only studies of this kind, as trials, usual-care, drugs, animals or in-vitro."),
    ] = None,
    json: Json = False,
) -> None:
    """List the published studies that the package holds, or show one with what it observed."""
    from mesolung.cli.evidence import print_evidence

    print_evidence(name, disease, kind, json)


@app.command(cls=OnceCommand)
def explain(
    name: Annotated[
        str,
        typer.Argument(
            help="A state, observable, parameter, endpoint, covariate, background, route, source, disease, "
            "module or reserved name; or the plural of one of these, for the list."
        ),
    ],
    json: Json = False,
) -> None:
    """Say what a name means: value, unit, spreads, source, grade, and the law that holds it, by line."""
    from mesolung.cli.explain import explain_name

    explain_name(name, json)


@app.command(cls=OnceCommand)
def export(
    out: Annotated[Path, typer.Option("--out", "-o", help="The file to make.", metavar="FILE")],
    form: Annotated[
        Form, typer.Option("--format", help="SBML or Antimony of the model, or its map as a picture.")
    ] = Form.sbml,
    disease: Annotated[str, typer.Option(help="Whose drivers are written in.")] = "healthy",
    group: Annotated[str | None, typer.Option(help="A group of the disease; else the largest.")] = None,
) -> None:
    """Write the model for other tools: SBML with units and annotations, Antimony, or a map of it as SVG."""
    from mesolung.cli.export import export_file

    export_file(form.value, disease, group, out)


@app.command(cls=OnceCommand)
def schema(contract: Annotated[Contract, typer.Argument(help="Which format.")]) -> None:
    """Print the JSON Schema of the study file, of the lot file or of the result."""
    from mesolung.cli.schema import print_schema

    print_schema(contract.value)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit status.

    Arguments:
        arguments: what stands after the program's name; those of the process if not given.

    Raises:
        SystemExit: always. 0 done; 1 an internal error, a result that could not be kept, or at least 0.1 % of
            the subjects failed; 2 the input or usage is refused and nothing was run; 130 cancelled by Ctrl-C.
    """
    try:
        code = app(arguments, prog_name="mesolung", standalone_mode=False)
    except KeyboardInterrupt:
        code = CANCELLED
    except Exception as error:
        code = _complain(error)
    if code == CANCELLED:
        _say("cancelled; nothing was kept")
    sys.exit(code or DONE)


def _complain(error: Exception) -> int:
    """Print one line about an error and say which exit status it deserves."""
    from mesolung.reading import Refusal
    from mesolung.writing import NotWritten

    if isinstance(error, Refusal):
        _say(str(error))
        return REFUSED
    if isinstance(error, NotWritten):
        _say(str(error))
        return FAILED
    # Usage errors of typer carry their own text and status, whichever version's class they are.
    words = getattr(error, "format_message", None)
    if words is not None:
        # A call without arguments prints the help by itself and has nothing to add.
        if words():
            said = " ".join(words().split()).replace("Value error, ", "").removesuffix(".")
            _say(f"{said} ({_found(error)}mesolung --help says what is allowed)")
        return getattr(error, "exit_code", REFUSED)
    if os.environ.get("MESOLUNG_TRACEBACK"):
        traceback.print_exception(error)
    name = type(error).__name__
    _say(f"internal error: {name}: {' '.join(str(error).split())} (MESOLUNG_TRACEBACK=1 shows where)")
    return FAILED


def _found(error: Exception) -> str:
    """What was written for an option, where the library that checks values still knows it."""
    cause: Any = error.__cause__
    mistakes = cause.errors() if hasattr(cause, "errors") else []
    written = mistakes[0].get("input") if mistakes else None
    return f"found {written}; " if isinstance(written, str) else ""


def _say(message: str) -> None:
    print(f"mesolung: {message}", file=sys.stderr)
