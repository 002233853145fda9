"""One input of the beats of a record, read together: a record is opened once for a thousand of its beats."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from hounsfield.core.block import Block
from hounsfield.core.cohort import Cohort, Ref, Sample
from hounsfield.core.errors import HounsfieldError
from hounsfield.core.kinds import AS_IT_IS, Wanted
from hounsfield.core.types import IntArray
from hounsfield.data.beat_inputs import BeatInputs, BeatsOf
from hounsfield.data.kinds.protocol import BlockReader, content_reader
from hounsfield.data.kinds.signals import ANCHOR, anchor_of, without_anchor

TOGETHER = 1024
"""Beats that are read together: some ten minutes of a record."""
Record: TypeAlias = BeatsOf | tuple[tuple[str, Ref], ...]
"""What the beats of one record have in common: where they are from, or each input's ref without its anchor."""


def record_of(sample: Sample) -> Record | None:
    """Return the record that a sample is of; None for one of which any input has no anchor.

    Parameters
    ----------
    sample : Sample
    """
    if isinstance(sample.inputs, BeatInputs):
        return sample.inputs.record
    refs = [(name, readings[-1].ref) for name, readings in sample.inputs.items()]
    if not refs or not all(any(key == ANCHOR for key, _ in ref.part) for _, ref in refs):
        return None
    return tuple((name, without_anchor(ref)) for name, ref in refs)


def read_block(cohort: Cohort, beats: Sequence[Sample], name: str, *, wanted: Wanted = AS_IT_IS) -> Block | None:
    """Return an input of beats of one record, read together.

    Parameters
    ----------
    cohort : Cohort
    beats : sequence of Sample
        Of one record, see `record_of`; at least one.
    name : str
        Of the input.
    wanted : Wanted

    Returns
    -------
    Block or None
        None where they cannot be read together, or one of them cannot be read: to read them one by one tells which.
    """
    record, reader = record_of(beats[0]), content_reader(kind_of(cohort, name))
    ref = None if record is None else record.ref(name) if isinstance(record, BeatsOf) else dict(record).get(name)
    if ref is None or not isinstance(reader, BlockReader):
        return None
    try:
        return reader.block(cohort, ref, _anchors(beats, name), wanted=wanted)
    except HounsfieldError:
        return None


def kind_of(cohort: Cohort, name: str) -> str:
    """Return the kind of a cohort's input; of an input under another name that of the only one."""
    specs = cohort.schema.inputs
    return next((s.kind for s in specs if s.name == name), specs[0].kind)


def _anchors(beats: Sequence[Sample], name: str) -> IntArray:
    """Return where in the record each beat is, by the input's own count."""
    found = [
        s.inputs.anchor * s.inputs.record.finer_of(name)
        if isinstance(s.inputs, BeatInputs)
        else anchor_of(s.inputs[name][-1].ref)
        for s in beats
    ]
    return np.array(found, np.int64)
