"""How fast Mesolung is beside its peers, at equal error; run with ``python -m benchmarks``."""
