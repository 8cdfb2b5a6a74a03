"""How much one command may be asked for: beyond these a run would outgrow any machine before it answered."""

from __future__ import annotations

MOST_REPLICATES = 100_000
MOST_DRAWS = 10_000
