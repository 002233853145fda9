"""What is wrong with the data: repeats, contradictions, faulty files, shortcuts.

Enters: a `Cohort` and one `Glance` per readable sample, taken with `glance` while the image is decoded once.
Leaves: an `Audit` over all parts; it excludes and reports, and never feeds a planning rule.
"""

from hounsfield.stages.auditing.findings import audit
from hounsfield.stages.auditing.thumbnails import Glance, glance

__all__ = ["Glance", "audit", "glance"]
