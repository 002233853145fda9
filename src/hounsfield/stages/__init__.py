"""The stages that a study passes through, each on its own; `workflow` joins them.

Enters: a `Cohort` and what earlier stages found.
Leaves: an `Audit`, a `Split`, a `Fingerprint`, a `Plan`, figures, a page; no stage imports another.
"""
