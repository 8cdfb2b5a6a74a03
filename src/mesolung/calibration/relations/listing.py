"""All relations that the shipped experiments hold, from the observations of their files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from mesolung.biology.states import STATE, state_row
from mesolung.biology.tables import endpoints
from mesolung.calibration.relations.relation import (
    DIRECTION,
    DISEASE,
    EFFECT,
    FATE,
    NULL,
    ORDERING,
    QUANTITATIVE,
    Relation,
)
from mesolung.calibration.relations.sizes import interval_of, number_of, ratio_interval
from mesolung.calibration.validation.treatment import is_treated, side_of
from mesolung.study import Study, read_study
from mesolung.study.asked import key_of
from mesolung.study.catalogue import Entry, entries, groups
from mesolung.study.observation import BASELINE, Observation
from mesolung.study.possible import planned_endpoints
from mesolung.trial.contrasts import is_ratio
from mesolung.trial.endpoints import EndpointRow

FIT, UNSEEN = "fit", "unseen"
FOLDERS = ("animals", "in-vitro", "fate")
# A number that was recalled is no data.
ELIGIBLE = ("seen", "derived")
# So many arms with a number of one endpoint make an order.
ARMS_OF_AN_ORDER = 3


@cache
def relations(group: str = FIT) -> tuple[Relation, ...]:
    """List the relations of all experiments of animals, lungs out of the body, cultures and cell fate.

    Arguments:
        group: of the split, "fit" or "unseen".

    Returns:
        the relations, by study and place in its file.

    Raises:
        Refusal: for a shipped study that cannot be read.
    """
    found: list[Relation] = []
    for entry in entries():
        if entry.folder in FOLDERS:
            found += relations_of(read_study(entry.path), entry, groups(entry.name), group)
    return tuple(found)


def relations_of(study: Study, entry: Entry, used: Sequence[str], group: str) -> list[Relation]:
    """List the relations of one study.

    Arguments:
        study: validated.
        entry: of the catalogue.
        used: group of each observation.
        group: which of them are wanted.

    Returns:
        a relation an observation, where a treated arm's number goes with its control's; and an order where
        three arms or more have a number.
    """
    mine = [o for o in study.observations if used[o.index] == group and o.source.status in ELIGIBLE]
    about = FATE if entry.folder == "fate" else EFFECT if _has_product(study) else DISEASE
    found: list[Relation] = []
    for one in mine:
        if one.form == "order":
            found.append(_of_order(study, entry, one, about))
        elif one.form == "direction":
            found.append(_of_direction(study, entry, one, about))
        elif one.form == "contrast":
            found.append(_of_contrast(study, entry, one, about))
        else:
            found.append(_of_number(study, entry, one, about, mine))
    found += _orders_of_numbers(study, entry, mine, about)
    return sorted(found, key=lambda r: (r.observation, r.measure == "order"))


def endpoint_row(name: str) -> EndpointRow:
    """Find an endpoint that is modelled or planned.

    Arguments:
        name: as observations name it.

    Raises:
        KeyError: for no such name.
    """
    if name.startswith(STATE):
        return state_row(name)
    return endpoints().get(name) or planned_endpoints()[name].row


def _has_product(study: Study) -> bool:
    return any(arm.treatments for arm in study.arms)


def _of_order(study: Study, entry: Entry, one: Observation, about: str) -> Relation:
    better = endpoint_row(one.endpoint).better
    rising = one.order if better == "lower" else one.order[::-1]
    treated = [is_treated(study, name) for name in one.order]
    helps = 0 if all(treated) or not any(treated) else 1 if treated == sorted(treated, reverse=True) else -1
    return _made(entry, one, (), ORDERING, about, helps, "order", rising)


def _of_direction(study: Study, entry: Entry, one: Observation, about: str) -> Relation:
    said = str(one.direction)
    side = {"lower": -1, "higher": 1}.get(said, 0)
    helps = _helps(study, one, side)
    null = said == "none" or helps < 0
    return _made(entry, one, (), NULL if null else DIRECTION, about, helps, "direction", said)


def _of_contrast(study: Study, entry: Entry, one: Observation, about: str) -> Relation:
    ratio = is_ratio(str(one.contrast))
    value = float(one.value or 0.0)
    helps = _helps(study, one, (value > 1.0) - (value < 1.0) if ratio else (value > 0) - (value < 0))
    measure = "ratio" if ratio else "difference"
    return _made(entry, one, (), QUANTITATIVE, about, helps, measure, value, one.ci95)


def _of_number(
    study: Study, entry: Entry, one: Observation, about: str, mine: Iterable[Observation]
) -> Relation:
    """A number beside its control's is a ratio, whose size is the effect's; alone it is a level."""
    other = _control_of(study, one, mine)
    value = number_of(one)
    if about == EFFECT and not any(is_treated(study, name) for name in one.arm):
        about = DISEASE  # an untreated arm's own number tells of the illness, not of the product
    if other is None:
        return _made(entry, one, (), QUANTITATIVE, about, 0, "level", value, interval_of(one))
    below = number_of(other)
    if value > 0 and below > 0:
        ratio = value / below
        helps = _helps_against(one, (ratio > 1.0) - (ratio < 1.0))
        ends = ratio_interval(one, other)
        return _made(entry, one, (other.index,), QUANTITATIVE, about, helps, "ratio", ratio, ends)
    helps = _helps_against(one, (value > below) - (value < below))
    return _made(entry, one, (other.index,), QUANTITATIVE, about, helps, "difference", value - below)


def _control_of(study: Study, one: Observation, mine: Iterable[Observation]) -> Observation | None:
    """The control arm's number of the same endpoint, time and form, for a treated arm's."""
    control = study.control
    if control is None or len(one.arm) != 1 or not is_treated(study, one.arm[0]):
        return None
    same = ("endpoint", "time_h", "time_unknown", "as_", "form")
    for other in mine:
        if other.arm == (control.name,) and all(getattr(other, k) == getattr(one, k) for k in same):
            return other
    return None


def _orders_of_numbers(
    study: Study, entry: Entry, mine: Sequence[Observation], about: str
) -> Iterator[Relation]:
    """Arms in the order of their printed numbers, where nothing but the injury or the product parts them."""
    groups_: dict[tuple[object, ...], list[Observation]] = {}
    for one in mine:
        if one.form in ("mean", "median", "value", "events") and len(one.arm) == 1:
            key = (one.endpoint, one.time_h, one.time_unknown, one.as_, one.form)
            groups_.setdefault(key, []).append(one)
    assays = {arm.name: arm.assay for arm in study.arms}
    for group in groups_.values():
        arms = {one.arm[0] for one in group}
        values = [number_of(one) for one in group]
        alike = all(assays[name] == assays[group[0].arm[0]] for name in arms)
        if len(arms) < ARMS_OF_AN_ORDER or len(arms) < len(group) or len(set(values)) < len(values):
            continue
        if not alike:
            continue
        rising = sorted(group, key=number_of)
        beside = tuple(one.index for one in group[1:])
        names = tuple(one.arm[0] for one in rising)
        yield _made(entry, group[0], beside, ORDERING, about, 0, "order", names, status="derived")


def _helps(study: Study, one: Observation, side: int) -> int:
    """Whether a published side is the better one of a product against none."""
    if one.versus == BASELINE:
        return 0
    return side_of(study, one) * _helps_against(one, side)


def _helps_against(one: Observation, side: int) -> int:
    return {"lower": -side, "higher": side}.get(endpoint_row(one.endpoint).better, 0)


def _made(
    entry: Entry,
    one: Observation,
    beside: tuple[int, ...],
    class_,
    about: str,
    helps: int,
    measure,
    published,
    ends: tuple[float, float] | None = None,
    status: str | None = None,
) -> Relation:
    low, high = ends or (None, None)
    return Relation(
        entry.name,
        one.index,
        beside,
        entry.kind,
        class_,
        about,
        helps,
        key_of(one.endpoint, one.time_h, one.time_unknown),
        measure,
        published,
        low,
        high,
        status or str(one.source.status),
    )
