"""Work in pieces: chunks mapped over threads, in order; and where what is kept between runs lies."""

from mesolung.execution.cache import cache_folder as cache_folder
from mesolung.execution.chunks import Progress as Progress
from mesolung.execution.chunks import map_chunks as map_chunks
from mesolung.execution.stream import stream_chunks as stream_chunks
from mesolung.execution.workers import worker_count as worker_count

__all__ = ["Progress", "cache_folder", "map_chunks", "stream_chunks", "worker_count"]
