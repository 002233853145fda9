"""The task ``prognose``: what comes.

Enters: a cohort's schema, names and units of variables.
Leaves: which variable is forecast, and the targets that are answered.
"""
