"""Decisions by rule, each with its reason.

Enters: `Facts`: fingerprint of the training part, budget, machine, wishes.
Leaves: sections of decisions for the plan; nothing is trained or read here.
"""
