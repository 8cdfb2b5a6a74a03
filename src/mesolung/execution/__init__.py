"""Work in pieces: chunks mapped over threads, in order, with progress and prompt cancellation."""

from mesolung.execution.chunks import Progress as Progress
from mesolung.execution.chunks import map_chunks as map_chunks
from mesolung.execution.workers import worker_count as worker_count

__all__ = ["Progress", "map_chunks", "worker_count"]
