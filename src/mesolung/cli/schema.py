"""`mesolung schema`: the JSON Schema of a format."""

from __future__ import annotations

import json
import sys


def print_schema(contract: str) -> None:
    """Print a JSON Schema on standard output.

    Arguments:
        contract: ``"study"`` for the study file, ``"lot"`` for the lot file, ``"result"`` of a run.
    """
    from mesolung.study.schema import lot_schema, result_schema, study_schema

    schema = {"study": study_schema, "lot": lot_schema, "result": result_schema}[contract]()
    sys.stdout.write(json.dumps(schema, indent=2, ensure_ascii=False) + "\n")
