"""Taking event tables apart and putting them together loses, doubles or moves no event."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesolung.engine import ADD_STATE, EventTable
from mesolung.population.events import joined, of_subjects, same_events, shifted, stacked, where


def table(subjects, times):
    subjects = np.asarray(subjects, np.int64)
    n = subjects.size
    return EventTable(
        subjects, np.asarray(times, float), np.full(n, ADD_STATE), np.arange(n) % 3, np.arange(n, dtype=float)
    )


def rows(events):
    return list(zip(events.subject, events.time, events.target, events.value, strict=True))


@settings(max_examples=60, deadline=None)
@given(
    subjects=st.lists(st.integers(0, 5), max_size=20),
    chosen=st.lists(st.integers(0, 5), min_size=1, max_size=12),
)
def test_a_subject_takes_its_own_events_wherever_it_goes(subjects, chosen):
    source = table(subjects, np.linspace(0, 9, len(subjects)))
    picked = of_subjects(source, np.array(chosen))
    for new, old in enumerate(chosen):
        mine = [r[1:] for r in rows(picked) if r[0] == new]
        assert mine == [r[1:] for r in rows(source) if r[0] == old]
    assert len(picked) == sum(subjects.count(c) for c in chosen)


def test_new_numbers_are_used():
    picked = of_subjects(table([0, 1, 1], [0, 1, 2]), np.array([1]), np.array([7]))
    assert list(picked.subject) == [7, 7]


def test_stacked_tables_keep_their_subjects_apart():
    one = table([0, 1], [0.0, 1.0])
    both = stacked([one, one], 2)
    assert list(both.subject) == [0, 1, 2, 3]
    assert list(both.time) == [0.0, 1.0, 0.0, 1.0]


def test_events_are_kept_moved_and_joined():
    one = table([0, 1, 2], [1.0, 2.0, 3.0])
    assert list(where(one, one.time > 1.5).subject) == [1, 2]
    assert list(shifted(one, -one.time).time) == [0.0, 0.0, 0.0]
    assert len(joined([one, one, one])) == 9
    assert len(joined([])) == 0


def test_one_kind_of_event_for_many_subjects():
    made = same_events(ADD_STATE, 4, np.array([2, 3]), 24.0, np.array([1.0, 2.0]))
    assert rows(made) == [(2, 24.0, 4, 1.0), (3, 24.0, 4, 2.0)]
    with pytest.raises(ValueError):
        same_events(ADD_STATE, 4, np.array([2, 3]), np.zeros(3), np.array([1.0, 2.0]))
