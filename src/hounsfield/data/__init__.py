"""Files in, cohorts and images out: what lies in a folder, how its columns are meant, how its pixels are read.

Enters: a path, an iterable of samples, and what the user said of them (`Roles`).
Leaves: a `Cohort` whose refs are read lazily, its digest, and the texts of ``cohort.yaml`` and ``samples.csv``.
"""
