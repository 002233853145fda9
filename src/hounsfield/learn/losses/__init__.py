"""Losses and decoders, one file for each kind of target.

Enters: a head's raw output, the targets of a batch (missing ones marked) and one weight for each sample.
Leaves: a scalar that is zero, never NaN, where nothing is labelled; probabilities or values decoded from raw output.
"""
