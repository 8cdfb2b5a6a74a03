"""Run the benchmark of the engine beside its peers."""

from benchmarks.peers import main

main()
