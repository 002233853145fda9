"""Rows of clinical variables in: columns of tables, rhythm around a beat.

Enters: a cohort and a ref. Leaves: a `Row`.
"""
