"""The scientific outputs are the frozen ones; a change is a decision that the changelog tells.

`python tools/update_baseline.py` freezes them anew; see "Numbers change" in CHANGELOG.md.
"""

import json
import math
from importlib.util import module_from_spec, spec_from_file_location

from mesolung.study.result import canonical

# Other processors round other bits: a thousandth of what any reader would see, far below a changed number.
CLOSE = 1e-6


def differences(now, then, where=""):
    """Places where two nested results differ."""
    if isinstance(then, dict) and isinstance(now, dict):
        keys = sorted(set(then) | set(now))
        return [d for k in keys for d in differences(now.get(k), then.get(k), f"{where}/{k}")]
    if isinstance(then, list) and isinstance(now, list) and len(now) == len(then):
        return [
            d
            for k, (a, b) in enumerate(zip(now, then, strict=True))
            for d in differences(a, b, f"{where}/{k}")
        ]
    if isinstance(then, int | float) and isinstance(now, int | float):
        same = math.isclose(now, then, rel_tol=CLOSE, abs_tol=1e-9)
    else:
        same = now == then
    return [] if same else [f"{where}: {then} became {now}"]


def test_the_examples_numbers_are_the_frozen_ones(root):
    spec = spec_from_file_location("update_baseline", root / "tools" / "update_baseline.py")
    assert spec is not None and spec.loader is not None
    tool = module_from_spec(spec)
    spec.loader.exec_module(tool)
    then = json.loads(tool.BASELINE.read_text(encoding="utf-8"))
    assert differences(canonical(tool.frozen()), then) == []


def test_a_changed_number_is_found():
    assert differences({"a": [1.0, {"b": 2.0}]}, {"a": [1.0, {"b": 2.1}]}) == ["/a/1/b: 2.1 became 2.0"]
    assert differences({"a": 1.0 + 1e-9}, {"a": 1.0}) == []
