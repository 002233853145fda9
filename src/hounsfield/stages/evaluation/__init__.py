"""From predictions to figures: the one road that every number of a report takes.

Enters: samples with their truth and patient, and what a sealed model said of them.
Leaves: figures with patient-level intervals, curves, subgroups, paired comparisons and caveats.
"""
