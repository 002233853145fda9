"""What the part of an input kind that is planned must offer, and the planners of today's kinds."""

from typing import ClassVar, Protocol, cast, runtime_checkable

from hounsfield.core.fingerprint import ImageFacts
from hounsfield.core.kinds import input_kind
from hounsfield.core.plan import Facts
from hounsfield.stages.planning.rules import Rule, network, preparation, rows, signal_network, signal_preparation

FEW_PATIENTS = 150
"""Training patients below which a nested choice of learner and variables costs next to nothing."""
MANY_ROWS = 5000
"""Training rows above which a choice of variables takes longer than a network does, however few patients there are."""


@runtime_checkable
class Planner(Protocol):
    """Rules of one kind of input.

    Attributes
    ----------
    families : tuple of str
        Networks that are for the kind; asking for one where no input is of the kind is refused.
    planned : tuple of str
        Those of them whose options the rules decide; another one has its own defaults.
    """

    families: tuple[str, ...]
    planned: tuple[str, ...]

    def preparation(self, name: str, facts: Facts, *, own: bool) -> dict[str, Rule]:
        """Return the rules of section ``preparation.<name>``; `own` where no network's protocol fixes the size."""
        ...

    def network(self, names: tuple[str, ...], facts: Facts) -> dict[str, Rule]:
        """Return the rules for the network, or for the encoder, of these inputs of the kind."""
        ...

    def baselines(self, facts: Facts) -> tuple[str, ...]:
        """Return learners that the network is compared with, the linear model apart, the strongest first."""
        ...


def planner(kind: str) -> Planner:
    """Return the rules of a kind."""
    return cast(Planner, input_kind(kind).part("planned"))


class Images:
    """Rules for images."""

    families: ClassVar[tuple[str, ...]] = ("residual", "slices", "textbook")
    planned: ClassVar[tuple[str, ...]] = ("residual", "slices")

    def preparation(self, name: str, facts: Facts, *, own: bool) -> dict[str, Rule]:
        """See `hounsfield.stages.planning.rules.preparation`."""
        seen = facts.fingerprint.inputs[name]
        return preparation.rules(name, seen if isinstance(seen, ImageFacts) else None, own=own)

    def network(self, names: tuple[str, ...], facts: Facts) -> dict[str, Rule]:
        """See `hounsfield.stages.planning.rules.network`."""
        del names, facts
        return network.RULES

    def baselines(self, facts: Facts) -> tuple[str, ...]:
        """None besides the linear model."""
        del facts
        return ()


class Signals:
    """Rules for signals."""

    families: ClassVar[tuple[str, ...]] = ("convolutional", "recurrent", "convolutional-recurrent")
    planned: ClassVar[tuple[str, ...]] = families

    def preparation(self, name: str, facts: Facts, *, own: bool) -> dict[str, Rule]:
        """See `hounsfield.stages.planning.rules.signal_preparation`."""
        del own
        return signal_preparation.preparation(name, facts)

    def network(self, names: tuple[str, ...], facts: Facts) -> dict[str, Rule]:
        """See `hounsfield.stages.planning.rules.signal_network`."""
        return signal_network.network(names, facts)

    def baselines(self, facts: Facts) -> tuple[str, ...]:
        """See `hounsfield.stages.planning.rules.signal_network`."""
        return signal_network.baselines(facts)


class Rows:
    """Rules for rows."""

    families: ClassVar[tuple[str, ...]] = ("row", "beat-sequence")
    planned: ClassVar[tuple[str, ...]] = families

    def preparation(self, name: str, facts: Facts, *, own: bool) -> dict[str, Rule]:
        """See `hounsfield.stages.planning.rules.rows`."""
        del own
        return rows.preparation(name, facts)

    def network(self, names: tuple[str, ...], facts: Facts) -> dict[str, Rule]:
        """See `hounsfield.stages.planning.rules.rows`."""
        return rows.network(names, facts)

    def baselines(self, facts: Facts) -> tuple[str, ...]:
        """Return gradient-boosted trees; for classes a few selected variables; of few patients a nested choice too.

        Of more than `MANY_ROWS` trees alone: tens of thousands of beats of some dozen patients are many rows.
        """
        classes = {target.kind for target in facts.targets} <= {"categorical", "multilabel"}
        if not classes or facts.fingerprint.samples > MANY_ROWS:
            return ("trees",)
        return ("trees", "selected", "chosen") if facts.fingerprint.patients < FEW_PATIENTS else ("trees", "selected")


IMAGES = Images()
SIGNALS = Signals()
ROWS = Rows()
