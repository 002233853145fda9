"""Tests of the science room."""
