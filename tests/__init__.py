"""Tests, laid out like src/hounsfield."""
