"""Lesions over time: measured, found again in a later visit, and judged by RECIST 1.1.

Enters: label maps with their affines, sizes in mm. Leaves: lesions, matches, changes and responses.
"""
