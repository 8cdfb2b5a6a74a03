"""Tables of subjects and doses -> engine -> results or bands, in constant memory; nothing of biology."""

from mesolung.cohort.bands import Bands as Bands
from mesolung.cohort.doses import dose_events as dose_events
from mesolung.cohort.run import run_cohort as run_cohort
from mesolung.cohort.summary import CohortSummary as CohortSummary
from mesolung.cohort.summary import Failure as Failure

__all__ = ["Bands", "CohortSummary", "Failure", "dose_events", "run_cohort"]
