"""Who belongs to which part: training, validation, test, folds.

Enters: a `Cohort` and its `Audit`.
Leaves: a `Split` in which groups (patients joined with duplicate clusters) stay together and official parts are kept.
"""

from hounsfield.stages.splitting.dividing import carve, divide
from hounsfield.stages.splitting.grouping import join_groups
from hounsfield.stages.splitting.parts import split
from hounsfield.stages.splitting.strata import strata_of

__all__ = ["carve", "divide", "join_groups", "split", "strata_of"]
