"""The task ``prognose``."""

from hounsfield.core.cohort import Schema, TargetSpec
from hounsfield.core.errors import CohortError

KINDS = ("forecast",)


class Prognose:
    """What comes: the next values of a series, and a warning before they fall too low."""

    name = "prognose"
    road = "series"

    def claim(self, schema: Schema) -> float:
        """Return 1 where the primary target is a forecast, less where only a later one is."""
        kinds = [t.kind in KINDS for t in schema.targets]
        if not any(kinds):
            return 0.0
        return 1.0 if kinds[0] else 0.5

    def accepts(self, schema: Schema) -> tuple[TargetSpec, ...]:
        """Return the forecasts, in the schema's order.

        Raises
        ------
        CohortError
            If there is none.
        """
        targets = tuple(t for t in schema.targets if t.kind in KINDS)
        if not targets:
            there = ", ".join(f"{t.name} ({t.kind})" for t in schema.targets) or "no answers at all"
            raise CohortError(
                f"There is nothing to forecast here: the data have {there}.",
                expected="series of a variable over time, such as a table of events with MAP",
                next_step="name the variable with --target, and ask for --task prognose",
            )
        return targets
