"""Reading one input of one sample, whatever its kind.

Enters: a cohort, a ref, and of a signal how much around its anchor is wanted.
Leaves: an `Image`, a `Signal` or a `Row`, with what its header says.
"""
