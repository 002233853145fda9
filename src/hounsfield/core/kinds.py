"""The one table of input kinds: what is looked at, and where each room keeps its part of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TypeAlias, cast

from hounsfield.core.image import Header, Image
from hounsfield.core.long_signal import LongSignal
from hounsfield.core.row import Row, RowColumn
from hounsfield.core.signal import Signal, SignalHeader
from hounsfield.core.tables import Table

Content: TypeAlias = Image | Signal | LongSignal | Row
"""One input of one sample, as read."""
AnyHeader: TypeAlias = Header | SignalHeader
"""What a reader says of it; of a row a `Header` whose size is the number of its variables."""

ROOMS: Mapping[str, str] = {
    "read": "hounsfield.data.",
    "seen": "hounsfield.stages.fingerprinting.",
    "audited": "hounsfield.stages.auditing.",
    "planned": "hounsfield.stages.planning.",
    "prepared": "hounsfield.learn.",
}
"""Part of a kind to the room that it lies in. A room asks for its own part only, so that no wall is climbed."""


@dataclass(frozen=True)
class Wanted:
    """What a plan wants of a reading, beside the reading itself.

    Parameters
    ----------
    around_s : tuple of float or None
        Seconds before and after the anchor of a signal; both 0 where a plan looks at whole readings; None where no plan
        says it yet.
    columns : tuple of RowColumn
        Variables of a row, coded so; empty for those of the cohort itself.
    beats : int
        Rows of so many neighbouring beats are read with the row of a beat, on either side.
    long : bool
        Whether a signal that is too long to be held whole may be handed out as one that is read by stretches; it is
        read whole otherwise, or refused.
    """

    around_s: tuple[float, float] | None = None
    columns: tuple[RowColumn, ...] = ()
    beats: int = 0
    long: bool = False


AS_IT_IS = Wanted()
BY_STRETCHES = Wanted(long=True)
"""Readings as they are, long signals by stretches."""


@dataclass(frozen=True)
class InputKind:
    """One kind of input.

    Parameters
    ----------
    name : str
        As `InputSpec.kind` has it.
    plural : str
        As messages name several.
    parts : mapping of str to str
        A key of `ROOMS` to ``"package.module:attribute"``. ``read``: `hounsfield.data.kinds.protocol.ContentReader`;
        ``seen``: `hounsfield.stages.fingerprinting.kinds.Seer`; ``audited``:
        `hounsfield.stages.auditing.kinds.Glancer`; ``planned``: `hounsfield.stages.planning.kinds.Planner`;
        ``prepared``: a class as `hounsfield.learn.prepare.protocol.Preparation`.
    lacks : mapping of str to str
        What does not apply to the kind, or not yet, and why: ``explain``, ``boxes``, ``export``, ``unlabelled``,
        ``augmentation``.
    """

    name: str
    plural: str
    parts: Mapping[str, str] = field(repr=False)
    lacks: Mapping[str, str] = field(default_factory=dict, repr=False)

    def part(self, room: str) -> object:
        """Import and return the part that lies in a room."""
        module, _, attribute = self.parts[room].partition(":")
        return getattr(import_module(module), attribute)


IMAGE = InputKind(
    name="image",
    plural="images",
    parts={
        "read": "hounsfield.data.kinds.images:IMAGES",
        "seen": "hounsfield.stages.fingerprinting.images:IMAGES",
        "audited": "hounsfield.stages.auditing.kinds:IMAGES",
        "planned": "hounsfield.stages.planning.kinds:IMAGES",
        "prepared": "hounsfield.learn.prepare.image:ImagePreparation",
    },
)

SIGNAL = InputKind(
    name="signal",
    plural="signals",
    parts={
        "read": "hounsfield.data.kinds.signals:SIGNALS",
        "seen": "hounsfield.stages.fingerprinting.signals:SIGNALS",
        "audited": "hounsfield.stages.auditing.kinds:SIGNALS",
        "planned": "hounsfield.stages.planning.kinds:SIGNALS",
        "prepared": "hounsfield.learn.prepare.signal:SignalPreparation",
    },
    lacks={
        "boxes": "a box marks a region of an image; hu explain without --boxes draws maps along time",
        "export": "the ONNX file prepares images only",
        "unlabelled": "the warm-up compares two augmented views of an image",
        "augmentation": "turning, zooming and display settings are of images",
    },
)

ROW = InputKind(
    name="row",
    plural="rows",
    parts={
        "read": "hounsfield.data.kinds.rows:ROWS",
        "seen": "hounsfield.stages.fingerprinting.rows:ROWS",
        "audited": "hounsfield.stages.auditing.kinds:ROWS",
        "planned": "hounsfield.stages.planning.kinds:ROWS",
        "prepared": "hounsfield.learn.prepare.row:RowPreparation",
    },
    lacks={
        "explain": "a row has no place that a map could mark",
        "boxes": "a row has no place that a box could mark",
        "export": "the ONNX file prepares images only",
        "unlabelled": "the warm-up compares two augmented views of an image",
        "augmentation": "turning, zooming and display settings are of images",
    },
)

INPUT_KINDS = Table(
    "input kind",
    {
        "image": "hounsfield.core.kinds:IMAGE",
        "signal": "hounsfield.core.kinds:SIGNAL",
        "row": "hounsfield.core.kinds:ROW",
    },
)
"""Input kinds by name; adding one is its parts and a line here."""


def input_kind(name: str) -> InputKind:
    """Return an input kind.

    Raises
    ------
    UnknownNameError
        If there is none of this name; the nearest is named.
    """
    return cast(InputKind, INPUT_KINDS.resolve(name))
