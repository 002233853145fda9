"""The nouns and torch-free protocols that every room shares.

Enters: nothing but Python, NumPy and pydantic values.
Leaves: `Image`, `Sample`, `Cohort`, `Plan`, `Report`, errors, tables and addressed randomness; no file is touched here.
"""
