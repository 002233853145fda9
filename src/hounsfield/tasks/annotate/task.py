"""The task ``annotate``."""

from hounsfield.core.cohort import DENSE_KINDS, Schema, TargetSpec
from hounsfield.core.errors import CohortError

KINDS = DENSE_KINDS


class Annotate:
    """What every voxel belongs to."""

    name = "annotate"
    road = "dense"

    def claim(self, schema: Schema) -> float:
        """Return 1 where the primary target is a mask or boxes, less where only a later one is."""
        kinds = [t.kind in KINDS for t in schema.targets]
        if not any(kinds):
            return 0.0
        return 1.0 if kinds[0] else 0.4

    def accepts(self, schema: Schema) -> tuple[TargetSpec, ...]:
        """Return the masks and boxes to learn, in the schema's order.

        Raises
        ------
        CohortError
            If there is none.
        """
        targets = tuple(t for t in schema.targets if t.kind in KINDS)
        if not targets:
            there = ", ".join(f"{t.name} ({t.kind})" for t in schema.targets) or "no answers at all"
            raise CohortError(
                f"There are no masks to learn from: the data have {there}.",
                expected="a mask beside each image (name_mask.png), a column of mask files, or a COCO file of boxes",
                next_step="add the masks; or get boxes from image labels alone: hu train FOLDER --task classify, "
                "then hu explain RUN FOLDER --boxes",
            )
        return targets
