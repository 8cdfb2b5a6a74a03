"""What the controller keeps in memory for the subjects of one vector, and what Python hands to it."""

from __future__ import annotations

from dataclasses import dataclass

# Eight-byte words that Python fills in for a call: numbers, doubles by their bits, and addresses of arrays.
REQUEST = (
    "subjects",
    "parameters",  # f64[subjects, P]
    "initial",  # f64[subjects, N]
    "outputs",  # number of output times
    "times",  # f64[., outputs]
    "times_stride",  # 0 where all subjects share the times, else outputs
    "first_event",  # i64[subjects + 1]
    "event_time",  # f64[events]
    "event_kind",  # i64[events]
    "event_target",  # i64[events]
    "event_value",  # f64[events]
    "floor",  # f64[N]: absolute tolerance of each state
    "relative",  # f64: relative tolerance
    "of_largest",  # f64: tolerance as a part of the largest value that the subject's state has had
    "max_steps",
    "wanted",  # number of outputs
    "wanted_index",  # i64[wanted]: below N a state, from N on an observable
    "observing",  # whether an observable is wanted
    "values",  # f64[subjects, outputs, wanted]
    "status",  # i64[subjects]
    "steps",  # i64[subjects]
    "rejected",  # i64[subjects]
    "stop_time",  # f64[subjects]
    "stop_state",  # f64[subjects, N]
    "work",  # the memory described by `Layout`
    "pending",  # f64[lanes, N + 1, lanes]: outputs of each lane that are not written yet; see `flush`
    "next",  # the first subject that no lane has taken
    "start_time",  # f64[subjects]
    "stop_met",  # f64[subjects, thresholds]: 1 where a threshold's condition holds at the stop, else 0
)
WORD = {name: i for i, name in enumerate(REQUEST)}

# Kinds of events, and what becomes of a subject.
ADD_STATE, SET_STATE, ADD_PARAMETER, SET_PARAMETER = range(4)
DONE, STEP_TOO_SMALL, TOO_MANY_STEPS, NOT_A_NUMBER, PAUSED = range(5)
# What besides may become of it where the model has events in general.
BAD_DELAY, BAD_SETTING, CONSTRAINT, CHANCE, TOO_MANY_EVENTS = range(5, 10)


def of_event(status: int, event: int) -> int:
    """Say in a status which event it is about; ``divmod(status, 16)`` takes it apart again."""
    return status + 16 * event


@dataclass(frozen=True)
class Layout:
    """Offsets, in vectors, of the working memory."""

    states: int
    width: int
    entries: int
    scratch: int
    observables: int
    thresholds: int
    settings: int
    stages: int
    constants: int

    @property
    def sizes(self) -> dict[str, int]:
        """The arrays in the order they lie, with their lengths in vectors."""
        n = self.states
        return {
            "p": self.width,
            "y": n,
            "trial": n,
            **{f"u{k}": n for k in range(self.stages)},
            "drift": n,
            "largest": n,
            "fresh": self.constants,
            "p_then": self.width,
            "w": self.entries,
            "s": self.scratch,
            "observed": self.observables,
            "met": self.thresholds,
            "met_before": self.thresholds,
            # What the settings set, then how far each state is past its bound, then the bound's size.
            "watched": self.settings + 2 * self.thresholds,
            "past_before": self.thresholds,
            **dict.fromkeys(LANE_VALUES, 1),
        }

    @property
    def offsets(self) -> dict[str, int]:
        """Where each array starts."""
        found, at = {}, 0
        for name, size in self.sizes.items():
            found[name] = at
            at += max(size, 1)
        return found

    @property
    def vectors(self) -> int:
        """The length of the whole."""
        return sum(max(size, 1) for size in self.sizes.values())


# One value a lane each. Flags are 64-bit integers, 0 or -1.
LANE_VALUES = (
    "time",
    "stage_time",
    "h",
    "diagonal",
    "h_before",
    "error_before",
    "target",  # of the next event, infinite where there is none
    "last",
    "taken",  # the step being tried, and where it leads
    "ahead",
    "place",  # a part of that step
    "next_time",  # of the next output, infinite when all are made
    "active",
    "arrived",
    "touched",
    "restart",
    "rejected_before",
    "accepted",
    "fired",
    "subject",  # -1 where there is none
    "pending",  # outputs not written yet
    "next_event",
    "end_event",
    "next_output",
    "status",
    "steps",
    "rejected",
)
