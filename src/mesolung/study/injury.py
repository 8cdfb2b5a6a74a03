"""What is done to make subjects ill, and what is measured in a culture."""

from __future__ import annotations

from typing import Literal

from mesolung.study.frozen import Frozen


class Injury(Frozen):
    """An injury that the experiment sets.

    Attributes:
        agent: row of ``injuries.csv``.
        amount: how much, in ``unit``; None where the study does not say or says it is unknown.
        unit: of the amount: the first unit of the agent's row that measures the same thing.
        route: where it goes in; None where the study does not say.
        start_h: when it starts, h since the study's origin.
        end_h: when it ends, h since the origin; None for one moment.
    """

    agent: str
    amount: float | None = None
    unit: str | None = None
    route: str | None = None
    start_h: float = 0.0
    end_h: float | None = None


class Assay(Frozen):
    """A laboratory assay.

    Attributes:
        responder: the cells whose answer is measured, as the publication names them.
        stimulus: what excites them; None for nothing.
        ratio: product cells, or doses of a product, for each responder; None where it is not stated.
        contact: whether the product touches the responders ("contact"), is parted from them by a membrane
            ("transwell"), or is there as what it gave off ("medium"); None where it is not stated.
        readout: what is measured, as the publication names it.
    """

    responder: str | None = None
    stimulus: str | None = None
    ratio: float | None = None
    contact: Literal["contact", "transwell", "medium"] | None = None
    readout: str | None = None
