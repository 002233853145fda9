"""Tests of the data room (`tests/data` is kept for literals)."""
