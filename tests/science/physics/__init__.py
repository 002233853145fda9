"""Tests of the imaging physics."""
