"""The inputs of a beat: its signal, the rhythm around it and its form; a hundred thousand hold a number each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from hounsfield.core.cohort import Reading, Ref

SIGNAL_INPUT, RHYTHM_INPUT, FORM_INPUT = "signal", "rhythm", "form"
READER, RHYTHM_READER, FORM_READER = "wfdb", "wfdb-rhythm", "wfdb-form"
ANCHOR = "anchor"


@dataclass(frozen=True, slots=True)
class BeatsOf:
    """What the beats of one record share.

    Parameters
    ----------
    path : str
    lead : tuple
        Part of the signal's ref that names the lead, or nothing.
    finer : int
        Samples of the lead in each frame; annotations count frames.
    ending : str
        Of the annotation file; empty where the beats were found and not annotated.
    reader : str
        Of the signal.
    """

    path: str
    lead: tuple[tuple[str, str], ...]
    finer: int
    ending: str
    reader: str = READER

    @property
    def marks(self) -> tuple[tuple[str, str], ...]:
        """Part of a row's ref that says where the beats are from."""
        return (("annotations", self.ending),) if self.ending else ()

    def ref(self, name: str, *anchor: tuple[str, int]) -> Ref | None:
        """Return the ref of an input at an anchor, or of all its beats without one; None where beats have no such."""
        if name == SIGNAL_INPUT:
            return Ref(self.reader, self.path, (*anchor, *self.lead))
        if name == RHYTHM_INPUT:
            return Ref(RHYTHM_READER, self.path, (*anchor, *self.marks))
        if name == FORM_INPUT:
            reader = () if self.reader == READER else (("reader", self.reader),)
            return Ref(FORM_READER, self.path, (*anchor, *self.marks, *self.lead, *reader))
        return None

    def finer_of(self, name: str) -> int:
        """Return how many of an input's own numbers lie between two that beats are counted by."""
        return self.finer if name == SIGNAL_INPUT else 1


class BeatInputs(Mapping[str, tuple[Reading, ...]]):
    """The inputs of one beat, made when they are asked for: a hundred thousand beats hold a number each.

    Parameters
    ----------
    record : BeatsOf
    anchor : int
        Sample number of the annotation.

    Attributes
    ----------
    latest_days : float
        When the last of the readings was taken, so that none has to be made to know it.
    """

    __slots__ = ("anchor", "record")
    latest_days: ClassVar[float] = 0.0

    def __init__(self, record: BeatsOf, anchor: int) -> None:
        self.record = record
        self.anchor = anchor

    def __getitem__(self, key: str) -> tuple[Reading, ...]:
        ref = self.record.ref(key, (ANCHOR, self.anchor * self.record.finer_of(key)))
        if ref is None:
            raise KeyError(key)
        return (Reading(ref),)

    def __iter__(self) -> Iterator[str]:
        return iter((SIGNAL_INPUT, RHYTHM_INPUT, FORM_INPUT))

    def __len__(self) -> int:
        return 3

    def __repr__(self) -> str:
        return f"BeatInputs(anchor={self.anchor})"


def beats_like(inputs: Mapping[str, tuple[Reading, ...]]) -> BeatInputs | None:
    """Return the same inputs as those of a beat, where they are just that; else None.

    Parameters
    ----------
    inputs : mapping of str to tuple of Reading
    """
    if inputs.keys() != {SIGNAL_INPUT, RHYTHM_INPUT, FORM_INPUT}:
        return None
    signal, rhythm = (dict(inputs[name][-1].ref.part) for name in (SIGNAL_INPUT, RHYTHM_INPUT))
    fine, anchor, ending, lead = (
        signal.get(ANCHOR),
        rhythm.get(ANCHOR),
        rhythm.get("annotations", ""),
        signal.get("lead"),
    )
    if not isinstance(fine, int) or not isinstance(anchor, int) or not isinstance(ending, str):
        return None
    if isinstance(lead, int) or (anchor and fine % anchor):
        return None
    ref = inputs[SIGNAL_INPUT][-1].ref
    place = BeatsOf(
        ref.path,
        (("lead", lead),) if lead is not None else (),
        fine // anchor if anchor else 1,
        ending,
        reader=ref.reader,
    )
    found = BeatInputs(place, anchor)
    return found if dict(found) == dict(inputs) else None
