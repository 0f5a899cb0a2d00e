"""Measurements of speed: `python -m benchmarks`, which `make benchmark` runs."""
