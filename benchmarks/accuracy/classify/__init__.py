"""Accuracy of the task classify."""
