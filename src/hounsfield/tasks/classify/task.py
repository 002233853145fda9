"""The task ``classify``."""

from typing import cast

from hounsfield.core.cohort import Schema, TargetSpec
from hounsfield.core.errors import CohortError
from hounsfield.core.protocols import TargetKind
from hounsfield.core.tables import Table

TARGET_KINDS = Table(
    "target kind",
    {
        "categorical": "hounsfield.tasks.classify.categorical:CATEGORICAL",
        "multilabel": "hounsfield.tasks.classify.multilabel:MULTILABEL",
        "ordinal": "hounsfield.tasks.classify.ordinal:ORDINAL",
        "number": "hounsfield.tasks.classify.number:NUMBER",
    },
)
"""Kinds of answers that ``classify`` gives; adding one is a file and a line here."""


class Classify:
    """One answer per sample: a class, a set of labels, a grade or a number."""

    name = "classify"
    road = "vector"

    def claim(self, schema: Schema) -> float:
        """Return 1 where the primary target is of a kind in the table, less where only a later one is."""
        kinds = [t.kind in TARGET_KINDS for t in schema.targets]
        if not any(kinds):
            return 0.0
        return 1.0 if kinds[0] else 0.5

    def accepts(self, schema: Schema) -> tuple[TargetSpec, ...]:
        """Return the targets to answer, in the schema's order.

        Raises
        ------
        CohortError
            If no target is a class, a set of labels, a grade or a number.
        """
        targets = tuple(t for t in schema.targets if t.kind in TARGET_KINDS)
        if not targets:
            there = ", ".join(f"{t.name} ({t.kind})" for t in schema.targets) or "no answers at all"
            raise CohortError(
                f"There is nothing to classify here: the data have {there}.",
                expected="a class, labels, a grade or a number for each sample",
                next_step="name the column of answers with --target, or add a table of answers",
            )
        return targets

    def kind(self, target: TargetSpec) -> TargetKind:
        """Return the kind of a target from the table."""
        return cast(TargetKind, TARGET_KINDS.resolve(target.kind))
