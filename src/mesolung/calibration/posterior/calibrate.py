"""`mesolung calibrate`: stages of the posterior run one after the other, each stored when it is done."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mesolung import __version__
from mesolung.biology import assemble
from mesolung.biology.disease import diseases, read_disease
from mesolung.biology.parameters import Parameters, read_parameters
from mesolung.calibration.posterior.checkpoint import checkpoints_of
from mesolung.calibration.posterior.forward import Forward, Progress, Weighing, Work
from mesolung.calibration.posterior.forwards import forward_of
from mesolung.calibration.posterior.outcome import Outcome
from mesolung.calibration.posterior.sizing import size_effect
from mesolung.calibration.posterior.smoothing import smooth
from mesolung.calibration.posterior.stages import (
    NONE,
    SIZE,
    SMOOTHER,
    WEIGHTS,
    Stage,
    before,
    moved_by,
    stages,
)
from mesolung.calibration.posterior.store import Stored, read_store, with_stage, write_store
from mesolung.calibration.posterior.task import Task
from mesolung.calibration.posterior.weighing import weigh
from mesolung.engine import CompiledModel, compile_model
from mesolung.population.posterior import folder_of_posterior, modules_digest, numbers_digest
from mesolung.reading import Refusal

# By method; raised whenever points and stages that other code made from the same tables are out of date.
LAYOUTS = {SMOOTHER: "1", NONE: "1", WEIGHTS: "2", SIZE: "1"}
MEMBERS, LEAST_MEMBERS = 512, 8
SEED = 1


@dataclass(frozen=True)
class Calibration:
    """All that stages share.

    Attributes:
        table: of parameters.
        model: the compiled biology.
        model_hash: of its text.
        members: draws of the ensemble.
        seed: of the perturbed observations and of resampling.
        workers: threads; no result depends on them.
        folder: where the posterior is stored.
        tell: called with lines of progress.
        progress: called with (what, done, total).
        forwards: stage and model -> its data and the model of them.
        sizes: stage -> subjects of each member, in place of the table's.
    """

    table: Parameters
    model: CompiledModel
    model_hash: str
    members: int
    seed: int
    workers: int
    folder: Path
    tell: Callable[[str], object]
    progress: Progress
    forwards: Callable[[Stage, CompiledModel], Forward | Weighing] = forward_of
    sizes: Mapping[str, int] | None = None

    def run(self, wanted: Sequence[Stage], resume: bool, command: str) -> Stored:
        """Run stages, and store each when it is done.

        Arguments:
            wanted: stages, in order.
            resume: leave out those that are done with the same tables, data and settings, and go on with one
                that was cut off; else each begins anew.
            command: for the record.

        Returns:
            what is stored at the end.

        Raises:
            Refusal: where a stage that it starts from is neither done nor wanted, before anything is run.
        """
        stored = read_store(self.folder)
        coming = {stage.name for stage in wanted}
        for stage in wanted:
            for name in before(stage):
                if name not in stored.records and name not in coming:
                    raise Refusal(
                        f"stage {stage.name} starts from {name}, which is not done",
                        allowed=f"--stage {name} first, or --stage {stage.group}",
                    )
        for stage in wanted:
            stored = self._run(stage, stored, resume, command)
        return stored

    def _run(self, stage: Stage, stored: Stored, resume: bool, command: str) -> Stored:
        self._insist_fresh(stage, stored)
        subjects = (self.sizes or {}).get(stage.name, stage.subjects)
        forward = self.forwards(stage, self.model)
        names = moved_by(stage, self.table)
        identity = self._identity(stage, stored, names, forward, subjects)
        done = stored.records.get(stage.name)
        if resume and done is not None and done["identity"] == identity:
            self.tell(f"{stage.name}: done already")
            return stored
        points = checkpoints_of(stage.name, identity)
        if not resume:
            points.forget()
        start = stored.ensemble(self.table, self.members, before(stage))
        work = Work(self.model, self.model_hash, subjects, self.seed, self.workers, self.progress)
        self.tell(f"{stage.name}: {len(names)} parameters, {len(forward.data)} numbers, {stage.about}")
        if stage.method in (WEIGHTS, SIZE):
            run = weigh if stage.method == WEIGHTS else size_effect
            outcome = run(Task(stage, _weighing(forward), start, names, work, points, self.tell))
        else:
            outcome = smooth(Task(stage, _forward(forward), start, names, work, points, self.tell))
        record = self._record(stage, identity, subjects, outcome, command)
        stored = with_stage(stored, stage.name, record, outcome)
        about = {
            "version": __version__, "command": command, "seed": self.seed, "date": record["date"],
            "diseases_sha256": _diseases(),
        }  # fmt: skip
        made = write_store(stored, self.table, self.members, about)
        points.forget()
        self.tell(f"{stage.name}: stored as {made.id} in {record['seconds']:.0f} s")
        return stored

    def _insist_fresh(self, stage: Stage, stored: Stored) -> None:
        for name in before(stage):
            record = stored.records[name]
            if record["parameters_numbers"] != numbers_digest(self.table):
                why = "other numbers in parameters.csv"
            elif record["modules_sha256"] != modules_digest():
                why = "other laws"
            elif record["seed"] != self.seed:
                why = f"seed {record['seed']}"
            else:
                continue
            raise Refusal(
                f"stage {stage.name} starts from {name}, which was done with {why}",
                allowed=f"--stage {name} anew, and what follows it",
            )

    def _identity(
        self,
        stage: Stage,
        stored: Stored,
        names: Sequence[str],
        forward: Forward | Weighing,
        subjects: int,
    ) -> str:
        parents = [stored.records[name]["identity"] for name in before(stage)]
        data = [[one.name, one.observed, one.error, one.series] for one in forward.data]
        parts = [
            LAYOUTS[stage.method], numbers_digest(self.table), modules_digest(), _diseases(), self.members,
            self.seed,
            stage.name, stage.iterations, stage.discrepancy, subjects, list(names), data, parents[-1:],
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def _record(
        self, stage: Stage, identity: str, subjects: int, outcome: Outcome, command: str
    ) -> dict[str, Any]:
        inside = {
            when: [line[f"inside_{when}"] for line in outcome.checks if line[f"inside_{when}"] is not None]
            for when in ("before", "after")
        }
        return {
            "stage": stage.name,
            "about": stage.about,
            "method": stage.method,
            "identity": identity,
            "parameters_numbers": numbers_digest(self.table),
            "modules_sha256": modules_digest(),
            "seed": self.seed,
            "draws": self.members,
            "subjects": subjects,
            "iterations": stage.iterations,
            "discrepancy": stage.discrepancy,
            "command": command,
            "date": datetime.now(UTC).date().isoformat(),
            "seconds": 0.0,
            "numbers": len(outcome.checks),
            "moved_count": len(outcome.values),
            "inside_90_before": _share(inside["before"]),
            "inside_90_after": _share(inside["after"]),
            **outcome.about,
            "checks": list(outcome.checks),
        }


def calibration(
    members: int = MEMBERS,
    *,
    seed: int = SEED,
    workers: int = 1,
    folder: Path | None = None,
    tell: Callable[[str], object] = print,
    progress: Progress | None = None,
    sizes: Mapping[str, int] | None = None,
) -> Calibration:
    """Compile the model for stages.

    Arguments:
        members, seed, workers, tell, progress, sizes: as `Calibration`.
        folder: where the posterior is stored; None for the package's own.

    Raises:
        Refusal: for too few draws, from which no covariance can be taken.
    """
    if members < LEAST_MEMBERS:
        raise Refusal("too few draws", found=str(members), allowed=f"{LEAST_MEMBERS} or more")
    assembled = assemble()
    return Calibration(
        read_parameters(),
        compile_model(assembled.sbml),
        assembled.model_hash,
        members,
        seed,
        workers,
        folder or folder_of_posterior(),
        tell,
        progress or (lambda what, done, total: None),
        sizes=sizes,
    )


def status_of(folder: Path | None = None) -> list[dict[str, Any]]:
    """What is stored, stage by stage.

    Arguments:
        folder: of a posterior; None for the package's own.

    Returns:
        a line a stage: name, whether it is done, and what its record says.
    """
    stored = read_store(folder or folder_of_posterior())
    table = read_parameters()
    found = []
    for name, stage in stages().items():
        record = stored.records.get(name)
        stale = "" if record is None else _stale(record, table)
        found.append({"stage": name, "about": stage.about, "record": record, "stale": stale})
    return found


def _stale(record: Mapping[str, Any], table: Parameters) -> str:
    if record["parameters_numbers"] != numbers_digest(table):
        return "other numbers in parameters.csv since"
    return "other laws since" if record["modules_sha256"] != modules_digest() else ""


def _share(flags: Sequence[bool]) -> float | None:
    return round(sum(flags) / len(flags), 4) if flags else None


def _diseases() -> str:
    said = "".join(f"{name} {read_disease(name).hash}\n" for name in sorted(diseases()))
    return hashlib.sha256(said.encode()).hexdigest()


def _forward(found: Any) -> Forward:
    return found


def _weighing(found: Any) -> Weighing:
    return found
