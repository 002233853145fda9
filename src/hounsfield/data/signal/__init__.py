"""Records of signals in, signals out: electrocardiograms, pressures, vital signs, event tables.

Enters: a cohort and a ref, and which window of the record. Leaves: a `Signal`, its header, its annotations.
"""
