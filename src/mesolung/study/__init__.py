"""The study file, what it means, and running it."""

from mesolung.study.canonical import canonical, inputs_sha256
from mesolung.study.lots import read_lot
from mesolung.study.reader import read_study
from mesolung.study.saving import study_text
from mesolung.study.study import Study

__all__ = ["Study", "canonical", "inputs_sha256", "read_lot", "read_study", "study_text"]
