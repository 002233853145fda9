"""Accuracy on real data, one folder per task."""
