"""Parameter draws: what may be true of everybody, and how one subject differs from another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.parameters import Parameter, Parameters, read_parameters
from mesolung.streams import typical, uniforms, vary

# Random numbers of the prior are keyed by a parameter's id and this word, not by the text of the tables: a
# new or changed row moves no other parameter's draws and no course's.
PRIOR_KEY = "prior"
PRIOR_NAME = "prior-"
# What only a treated body feels: these parameters are the replicate's own draw, whoever's course a subject
# follows, and a library of untreated courses does not depend on them.
TREATMENT_MODULES = ("fate", "product", "cells", "harm", "drugs")


@dataclass(frozen=True)
class Draws:
    """A numbered list of parameter draws.

    Attributes:
        posterior: its name, "prior-" or "posterior-" and 8 hexadecimal digits.
        key: what the random numbers of draws and courses are keyed by.
        parameters: rows of ``parameters.csv`` by id.
        values: id -> float64[D], typical value in each draw, in the row's unit.
        laboratory: property of a product -> what a laboratory's own lots say of it: mean against the typical
            value, its error, spread of lots; empty for the tables alone.
        note: what a user should know of why it is these draws, for a result's warnings; empty for nothing.
    """

    posterior: str
    parameters: Mapping[str, Parameter]
    values: Mapping[str, NDArray[np.float64]]
    key: str = PRIOR_KEY
    note: str = ""
    laboratory: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Number of draws."""
        return len(next(iter(self.values.values())))

    def distances(self, ids: Sequence[str]) -> NDArray[np.float64]:
        """How far apart draws are, as a Euclidean distance of ranks over parameters.

        Arguments:
            ids: parameters to compare; those that are fixed do not count.

        Returns:
            float64[D, D], dimensionless.
        """
        columns = [self.values[i] for i in ids if np.ptp(self.values[i]) > 0]
        if not columns:
            return np.zeros((self.count, self.count))
        # Whole numbers, so that the sums are exact and no library's order of summing can part two draws.
        order = np.argsort(np.stack(columns, axis=1), axis=0, kind="stable")
        ranks = np.argsort(order, axis=0, kind="stable").astype(np.float64)
        squares = (ranks * ranks).sum(axis=1)
        return np.sqrt(squares[:, None] + squares[None, :] - 2.0 * ranks @ ranks.T) / self.count


def prior_name(table: Parameters, also: str) -> str:
    """Name the posterior that is nothing but the priors of the tables.

    Arguments:
        table: of parameters.
        also: identity of further tables that draws rest on, those of products.

    Returns:
        "prior-" and 8 hexadecimal digits of the text of ``parameters.csv`` and those tables.
    """
    digest = blake2b(f"{table.hash}|{also}".encode(), digest_size=4)
    return f"{PRIOR_NAME}{digest.hexdigest()}"


def draw_prior(count: int, also: str, table: Parameters | None = None) -> Draws:
    """Draw typical values of every parameter from its prior.

    Arguments:
        count: number of draws; draw d is the same however many are asked for.
        also: as `prior_name`.
        table: of parameters; None for the bundled one.

    Returns:
        the draws.
    """
    table = table or read_parameters()
    posterior = prior_name(table, also)
    rows = table.rows
    values = {
        row.id: typical(
            row.distribution, row.value, row.uncertainty, uniforms(PRIOR_KEY, f"draw:{row.id}", 0, count)
        )
        for row in rows
    }
    return Draws(posterior, {row.id: row for row in rows}, values)


def individual_values(
    draws: Draws,
    ids: Sequence[str],
    draw: NDArray[np.intp],
    z: Mapping[str, NDArray[np.float64]],
) -> dict[str, NDArray[np.float64]]:
    """Give each subject a value of each parameter: its draw's typical value, and the subject around it.

    Arguments:
        draws: typical values.
        ids: parameters to return.
        draw: intp[n], number of each subject's draw.
        z: standard normal numbers float64[n] for the parameters that vary between subjects.

    Returns:
        id -> float64[n], in the row's unit.
    """
    result = {}
    for name in ids:
        row = draws.parameters[name]
        value = draws.values[name][draw]
        result[name] = vary(row.distribution, value, row.between_subject, z[name]) if name in z else value
    return result


def varying(draws: Draws, ids: Sequence[str], treated: bool) -> list[str]:
    """List the parameters that differ between subjects.

    Arguments:
        draws: typical values and their rows.
        ids: parameters to choose from.
        treated: those that only a treated body feels, or the others.

    Returns:
        names, in the order of ``ids``.
    """
    rows = draws.parameters
    return [
        i for i in ids if rows[i].between_subject > 0 and (rows[i].module in TREATMENT_MODULES) == treated
    ]
