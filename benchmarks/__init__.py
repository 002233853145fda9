"""Benchmarks on real data; see README.md."""
