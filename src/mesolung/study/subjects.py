"""Reading who is studied beside the lines of table 1: diseases and their shares, phenotypes, correlations."""

from __future__ import annotations

import math
from collections.abc import Mapping

from mesolung.biology.phenotypes import phenotypes, phenotypes_of
from mesolung.biology.tables import Measured
from mesolung.study.place import Place, listed
from mesolung.study.population import Correlation
from mesolung.study.possible import HUMAN, IN_VITRO, is_model, known_diseases
from mesolung.study.table_one import is_trait

# A disease of which a trial of a hundred would see nobody is none of its mixture.
LEAST_SHARE = 0.01


HEALTHY = "healthy"


def read_diseases(
    written: str | Mapping[str, float] | None, place: Place, kind: str = "trial", species: str = HUMAN
) -> str | dict[str, float]:
    """Read the disease of a study, or the diseases of a mixture.

    Arguments:
        written: name, or share by name; a culture without one is of healthy cells.
        place: where it stands.
        kind, species: of the study.

    Returns:
        the name; of a mixture share by name, names sorted.

    Raises:
        Refusal: for an unknown disease, one that the kind or species cannot have, or shares that are not
            those of a whole.
    """
    if written is None:
        if kind == IN_VITRO:
            return HEALTHY
        raise place.refuse("disease is missing", allowed=listed(known_diseases()))
    if isinstance(written, str):
        _check_disease(written, place, kind, species)
        return written
    for name, share in written.items():
        at = place.at(name)
        _check_disease(name, at, kind, species)
        if share < LEAST_SHARE:
            raise at.refuse(f"{name}: impossible share", found=share, allowed=f"{LEAST_SHARE:g} to 1")
    total = math.fsum(written.values())
    if not written or abs(total - 1.0) > 1e-6:
        raise place.refuse("shares of the diseases do not add up", told=f"{total:g}", allowed="1")
    if len(written) == 1:
        return next(iter(written))
    return {name: written[name] / total for name in sorted(written)}


def _check_disease(name: str, at: Place, kind: str, species: str) -> None:
    known = known_diseases()
    if name not in known:
        raise at.refuse_name("disease", name, known)
    if kind == "trial" and is_model(name):
        allowed = [one for one in known if not is_model(one)]
        raise at.refuse(f"{name} is an animal model", found=name, allowed=listed(allowed))
    if kind == "animal" and not is_model(name) and name != HEALTHY:
        allowed = [one for one in known if is_model(one)]
        raise at.refuse(f"{name} is a disease of patients", found=name, allowed=listed([*allowed, HEALTHY]))


def read_phenotypes(
    written: Mapping[str, float], baseline: Mapping[str, object], place: Place, names: tuple[str, ...]
) -> dict[str, float]:
    """Read the phenotypes at enrolment.

    Arguments:
        written: share by name.
        baseline: lines of table 1, in which a phenotype may stand instead.
        place: of the table.
        names: diseases of the study.

    Returns:
        share by name, names sorted.

    Raises:
        Refusal: for an unknown phenotype, one that the diseases have not, or one that table 1 states too.
    """
    usable = phenotypes_of(names)
    for name in written:
        if name in phenotypes() and name not in usable:
            raise place.at(name).refuse(
                f"{name} is no phenotype of {listed(names)}", allowed=listed(usable) or "none"
            )
        if name not in usable:
            raise place.at(name).unknown("phenotype", name, usable)
        if name in baseline:
            raise place.at(name).refuse(f"{name} stands in table 1 too", allowed="one of the two")
    return {name: written[name] for name in sorted(written)}


def read_correlations(
    written: Mapping[str, float], place: Place, names: Mapping[str, Measured]
) -> tuple[Correlation, ...]:
    """Read the rank correlations of table 1.

    Arguments:
        written: Spearman correlation by pair, as "pf_ratio, sofa".
        place: of the table.
        names: what may stand in table 1.

    Returns:
        the correlations, sorted.

    Raises:
        Refusal: for a pair that is none, an unknown name, a yes or no, one pair twice, or correlations that
            no three quantities can have together.
    """
    found: dict[tuple[str, str], float] = {}
    for key, rho in written.items():
        at = place.at(key)
        pair = [part.strip() for part in key.split(",")]
        if len(pair) != 2 or pair[0] == pair[1]:
            raise at.refuse("correlation: not two names", found=key, allowed='as "pf_ratio, sofa"')
        for name in pair:
            if name not in names:
                raise at.unknown("baseline", name, names)
            if is_trait(names[name]):
                raise at.refuse(
                    f"correlation: {name} is a yes or no and has no rank", found=key, allowed="quantities"
                )
        first, second = sorted(pair)
        if (first, second) in found:
            raise at.refuse("correlation: the same pair twice", found=key)
        found[first, second] = rho
    _check_possible(found, place)
    return tuple(Correlation(first=a, second=b, rho=found[a, b]) for a, b in sorted(found))


def _check_possible(found: Mapping[tuple[str, str], float], place: Place) -> None:
    """Three correlations of three quantities bound one another: their matrix has no negative determinant."""
    names = sorted({name for pair in found for name in pair})
    for i, a in enumerate(names):
        for k, b in enumerate(names[i + 1 :], i + 1):
            for c in names[k + 1 :]:
                pairs = [(a, b), (a, c), (b, c)]
                if not all(pair in found for pair in pairs):
                    continue
                x, y, z = (found[pair] for pair in pairs)
                if 1.0 + 2.0 * x * y * z - x * x - y * y - z * z < 0.0:
                    raise place.refuse(
                        "correlations that no three quantities have",
                        told=", ".join(f"{p}, {q}: {found[p, q]:g}" for p, q in pairs),
                        allowed="a matrix without negative eigenvalues",
                    )
