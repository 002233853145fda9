"""Annotate: where it is.

Enters: targets of kind mask.
Leaves: labels on the image's own grid, with probabilities and a guess of how good they are.
"""
