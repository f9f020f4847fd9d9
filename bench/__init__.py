"""Benchmarks: `make bench`. Ratios within one run are what counts; machines differ and are noisy."""
