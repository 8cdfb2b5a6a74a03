"""Run every benchmark."""

from benchmarks.engine import main

main()
