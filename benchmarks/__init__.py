"""Ratios against a textbook implementation, measured in one run: ``python -m benchmarks``."""
