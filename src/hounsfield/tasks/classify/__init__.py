"""Classify: which class, which labels, which grade, how much.

Enters: targets of kind categorical, multilabel, ordinal or number.
Leaves: calibrated probabilities or numbers, and a call at a fixed operating point.
"""
