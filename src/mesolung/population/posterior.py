"""The stored posterior: what the calibration learnt, as a numbered list of draws; and when it is used."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit, ndtr, ndtri

from mesolung.biology.assemble import MODULES, module_text
from mesolung.biology.parameters import Parameter, Parameters, read_parameters
from mesolung.population.draws import PRIOR_KEY, Draws, draw_prior
from mesolung.reading import Refusal
from mesolung.streams import typical, uniforms

Values = NDArray[np.float64]
Source = Literal["auto", "prior", "posterior"]
SOURCES = get_args(Source)
SCHEMA = 1
MANIFEST, DRAWS = "posterior.json", "draws.csv"
OPEN = "open"
NUMBER, WEIGHT, VARIANT = "draw", "weight", "variant"
REPEAT = "mesolung calibrate --stage all makes it anew"


@dataclass(frozen=True, eq=False)
class Posterior:
    """Typical values that data have been learnt from, draw by draw.

    Attributes:
        draws: float64[n, m], in the units of ``parameters.csv``.
        names: m parameters that a stage was allowed to move; all others keep their prior draws.
        weights: float64[n], sum 1. Stages resample: they are equal in what `mesolung calibrate` makes.
        variants: n labels: the carriers of effect that are on, or "none".
        manifest: how it was made: identity, stages, variants, seed, command, times.
    """

    draws: Values
    names: tuple[str, ...]
    weights: Values
    variants: tuple[str, ...]
    manifest: Mapping[str, Any] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Number of draws."""
        return self.draws.shape[0]

    @property
    def ancestors(self) -> NDArray[np.intp]:
        """The prior's draw that each one started from, intp[n]: its own number."""
        return np.arange(self.count, dtype=np.intp)

    @cached_property
    def id(self) -> str:
        """Its name: "posterior-" and 8 hexadecimal digits of its draws and weights."""
        digest = hashlib.blake2b("|".join([*self.names, *self.variants]).encode(), digest_size=4)
        digest.update(np.ascontiguousarray(self.draws).tobytes())
        digest.update(np.ascontiguousarray(self.weights).tobytes())
        if self.laboratory:
            digest.update(json.dumps(self.laboratory, sort_keys=True).encode())
        return f"posterior-{digest.hexdigest()}"

    @property
    def laboratory(self) -> dict[str, tuple[float, float, float]]:
        """Property of a product -> mean of a laboratory's own lots, its error, their spread."""
        found = self.manifest.get("lots", {})
        return {n: (float(o["shift"]), float(o["error"]), float(o["between_lot"])) for n, o in found.items()}

    @property
    def open(self) -> tuple[str, ...]:
        """Stages of the calibration that are not done yet."""
        return tuple(self.manifest.get(OPEN, ()))

    def prior_of(self, name: str) -> Values:
        """The prior's numbered draws of a parameter.

        Arguments:
            name: of a row of ``parameters.csv``.

        Returns:
            float64[n], in the row's unit.

        Raises:
            KeyError: for no such parameter.
        """
        return _prior_of(name, self.count)

    def values_of(self, name: str) -> Values:
        """Draws of a parameter, fitted or not.

        Arguments:
            name: of a row of ``parameters.csv``.

        Returns:
            float64[n], in the row's unit; the prior's where no stage moved it.

        Raises:
            KeyError: for no such parameter.
        """
        return self.draws[:, self.names.index(name)] if name in self.names else self.prior_of(name)

    def latent(self, name: str) -> Values:
        """Where the draws of a parameter stand under its prior.

        Arguments:
            name: of a row of ``parameters.csv``.

        Returns:
            float64[n], standard normal scores that the prior gives the values.
        """
        return latent_of(_table()[name], self.values_of(name))

    def latent_prior(self, name: str) -> Values:
        """The same of the prior's own numbered draws, float64[n]."""
        return latent_of(_table()[name], self.prior_of(name))

    def contraction(self, name: str) -> float:
        """How much narrower data have made a parameter.

        Arguments:
            name: of a row of ``parameters.csv``.

        Returns:
            1 - variance of the posterior over that of the prior, on the scale on which the prior is normal: 0
            for nothing learnt, 1 for all; 0 for what has no uncertainty or was not fitted. The sampling error
            of 512 draws is about 0.06 at 0, so that it can be below 0.
        """
        if name not in self.names:
            return 0.0
        before, after = self.latent_prior(name), self.latent(name)
        middle = float(np.average(after, weights=self.weights))
        spread = float(np.average((after - middle) ** 2, weights=self.weights))
        return 1.0 - spread / float(before.var()) if before.var() > 0.0 else 0.0

    def stage_of(self, name: str) -> str:
        """The last stage that moved a parameter; "" for none."""
        found = ""
        for stage, said in self.manifest.get("stages", {}).items():
            if name in said.get("moved", ()):
                found = stage
        return found

    def matches(self, table: Parameters | None = None) -> str:
        """Say why it does not belong to a table and the package's laws.

        Arguments:
            table: of parameters; None for the bundled one.

        Returns:
            one clause; "" when it does.
        """
        table = table or read_parameters()
        if self.manifest.get("parameters_numbers") != numbers_digest(table):
            return "was made with other numbers in parameters.csv"
        if self.manifest.get("modules_sha256") != modules_digest():
            return "was made with other laws"
        return ""


def latent_of(row: Parameter, values: Values) -> Values:
    """Give values the standard normal scores that a parameter's prior gives them.

    Arguments:
        row: of the table.
        values: float64[n], in its unit.

    Returns:
        float64[n]; 0 for a parameter without uncertainty. The mass of a spike shares one score, its middle.
    """
    family = row.distribution
    probability = 0.0
    if family.startswith("spike-"):
        probability, spread = (float(part) for part in row.uncertainty.split(";"))
    else:
        spread = float(row.uncertainty or 0.0)
    if spread == 0.0 or family == "fixed":
        return np.zeros(values.shape)
    base = family.removeprefix("spike-")
    off = (values == 0.0) & (probability > 0.0)
    safe = np.where(off, row.value, values)
    if base == "lognormal":
        z = np.log(np.maximum(safe, 1e-300) / row.value) / spread
    elif base == "logit-normal":
        z = (logit(np.clip(safe, 1e-12, 1.0 - 1e-12)) - logit(row.value)) / spread
    else:
        z = (safe - row.value) / spread
    if probability == 0.0:
        return z
    above = probability + (1.0 - probability) * ndtr(z)
    return ndtri(np.where(off, probability / 2.0, np.clip(above, 1e-16, 1.0 - 1e-16)))


def numbers_digest(table: Parameters) -> str:
    """Identify what draws rest on in a table: numbers, families and ids, not the words beside them.

    Arguments:
        table: of parameters.

    Returns:
        64 hexadecimal digits. Wording, sources and grades do not change it, so that a better sentence does
        not throw hours of calibration away.
    """
    digest = hashlib.sha256()
    for r in sorted(table.rows, key=lambda row: row.id):
        digest.update(
            f"{r.id}|{r.module}|{r.value!r}|{r.unit}|{r.distribution}|{r.uncertainty}|"
            f"{r.between_subject!r}\n".encode()
        )
    return digest.hexdigest()


@cache
def modules_digest() -> str:
    """SHA-256 of the package's laws, 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for name in MODULES:
        digest.update(f"{name} {module_text(name)}\n".encode())
    return digest.hexdigest()


def folder_of_posterior() -> Path:
    """Find the folder that the package's posterior lies in, whether one is stored or not."""
    return Path(str(files("mesolung.biology") / "posterior"))


def read_posterior(folder: Path | None = None) -> Posterior | None:
    """Read a stored posterior.

    Arguments:
        folder: with ``posterior.json`` and ``draws.csv``; None for the package's own.

    Returns:
        the posterior; None where nothing is stored.

    Raises:
        Refusal: naming the file of a posterior that is not whole or was changed by hand.
    """
    place = folder if folder is not None else folder_of_posterior()
    path, table = place / MANIFEST, place / DRAWS
    if not path.is_file():
        return None
    return _read(path, table, path.stat().st_mtime_ns, table.stat().st_mtime_ns if table.is_file() else 0)


@cache
def _read(path: Path, table: Path, _manifest_time: int, _draws_time: int) -> Posterior:
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        lines = table.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise Refusal(f"the stored posterior cannot be read: {error}", file=path, allowed=REPEAT) from None
    if manifest.get("schema") != SCHEMA:
        raise Refusal(
            "a posterior of another form", file=path, found=str(manifest.get("schema")), allowed=str(SCHEMA)
        )
    head = lines[0].split(",") if lines else []
    if head[:3] != [NUMBER, WEIGHT, VARIANT]:
        raise Refusal(
            "not a table of draws", file=table, line=1, found=",".join(head[:3]),
            allowed=f"{NUMBER},{WEIGHT},{VARIANT} and a column a parameter",
        )  # fmt: skip
    rows = [line.split(",") for line in lines[1:]]
    for number, row in enumerate(rows):
        if len(row) != len(head):
            raise Refusal("a draw is not whole", file=table, line=number + 2, allowed=REPEAT)
    try:
        draws = np.array([[float(v) for v in row[3:]] for row in rows])
        weights = np.array([float(row[1]) for row in rows])
    except ValueError as error:
        raise Refusal(f"a draw is no number: {error}", file=table, allowed=REPEAT) from None
    found = Posterior(
        draws.reshape(len(rows), len(head) - 3), tuple(head[3:]), weights, tuple(r[2] for r in rows), manifest
    )
    if found.id != manifest.get("id"):
        raise Refusal(
            "the draws are not those that were stored", file=table, found=found.id, allowed=manifest.get("id")
        )
    return found


def as_draws(posterior: Posterior, count: int, also: str, table: Parameters | None = None) -> Draws:
    """Make a numbered list of draws of a posterior.

    Arguments:
        posterior: stored, or made by a calibration of your own.
        count: draws wanted.
        also: as `mesolung.population.draws.prior_name`.
        table: of parameters; None for the bundled one.

    Returns:
        the first ``count`` draws; what was not fitted keeps the prior's draws of the same numbers.

    Raises:
        Refusal: for more draws than it holds.
    """
    if count > posterior.count:
        raise Refusal(
            "more draws than the stored posterior holds",
            found=str(count),
            allowed=f"up to {posterior.count}, or --draws-from prior",
        )
    prior = draw_prior(count, also, table)
    fitted = {name: posterior.draws[:count, k].copy() for k, name in enumerate(posterior.names)}
    return replace(
        prior,
        posterior=posterior.id,
        values={**prior.values, **fitted},
        laboratory=posterior.laboratory,
    )


def draws_for(
    count: int,
    also: str,
    source: Source = "auto",
    table: Parameters | None = None,
    own: Posterior | None = None,
) -> Draws:
    """Choose the draws of a run: the one place where the choice between prior and posterior is made.

    Arguments:
        count: draws wanted.
        also: as `mesolung.population.draws.prior_name`.
        source: "posterior" for the stored one, "prior" for none; "auto" takes the stored one where all its
            stages are done and it belongs to the table and the laws as they are.
        table: of parameters; None for the bundled one.
        own: a posterior to take instead of the stored one, whatever the source; None for none.

    Returns:
        the draws; with "auto", their ``note`` says so where a stored posterior could not be used.

    Raises:
        Refusal: for "posterior" where none is stored or it belongs to other tables, and for one of your own
            that does; for more draws than it holds; for another word.
    """
    if own is not None:
        if why := own.matches(table):
            raise Refusal(f"the posterior {own.id} {why}", allowed="one that this version made")
        return as_draws(own, count, also, table)
    if source not in SOURCES:
        raise Refusal("unknown source of draws", found=source, allowed=", ".join(SOURCES))
    if source == "prior":
        return draw_prior(count, also, table)
    stored = read_posterior()
    if source == "auto" and stored is not None and stored.open:
        return draw_prior(count, also, table)
    why = "is not there" if stored is None else stored.matches(table)
    if stored is not None and not why:
        return as_draws(stored, count, also, table)
    if source == "posterior":
        raise Refusal(f"the stored posterior {why}", allowed=f"--draws-from prior; {REPEAT}")
    prior = draw_prior(count, also, table)
    return (
        prior
        if stored is None
        else replace(prior, note=f"the stored posterior {why}: the draws are the prior's")
    )


def most_draws(source: Source = "auto", own: Posterior | None = None) -> int | None:
    """How many draws a run can have.

    Arguments:
        source, own: as `draws_for`.

    Returns:
        the number that the stored posterior, or your own, holds where a run would use it; None for no limit.
    """
    if own is not None:
        return own.count
    stored = None if source == "prior" else read_posterior()
    if stored is None or stored.matches() or (source == "auto" and stored.open):
        return None
    return stored.count


@cache
def _table() -> Parameters:
    return read_parameters()


def _prior_of(name: str, count: int) -> Values:
    row = _table()[name]
    return typical(
        row.distribution, row.value, row.uncertainty, uniforms(PRIOR_KEY, f"draw:{name}", 0, count)
    )
