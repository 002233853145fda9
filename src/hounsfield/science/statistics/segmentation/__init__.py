"""How well what was marked agrees with what should have been.

Masks of one structure of one case with their spacing enter, and histograms of pixel probabilities.
Figures of the case leave, and over many cases their means with patient-level intervals.
"""
