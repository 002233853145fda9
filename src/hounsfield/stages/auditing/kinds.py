"""What the audit keeps of one input, by its kind: whatever repeats exactly, and of images what nearly does."""

import hashlib
from dataclasses import replace
from typing import Protocol, TypeVar, cast, runtime_checkable

import numpy as np

from hounsfield.core.cohort import InputSpec
from hounsfield.core.image import Header, Image
from hounsfield.core.kinds import AnyHeader, Content, input_kind
from hounsfield.core.long_signal import LongSignal
from hounsfield.core.row import Row
from hounsfield.core.signal import Signal, SignalHeader
from hounsfield.core.types import AnyArray, Float64Array
from hounsfield.stages.auditing.long_signals import long_glance
from hounsfield.stages.auditing.thumbnails import Glance, glance

TELLING = 5
"""Numbers of a row, other than small whole ones, from which two equal rows are one row written twice. Two patients may
well have the same age, sex and stage."""
SMALL_NUMBER = 20
LEAST_S = 5.0
"""Of a shorter signal it is not told whether its leads contradict each other."""
LOOKED_AT_S = 60.0
"""So much of a longer one is looked at for it: electrodes stay where they were put."""
_NO_PICTURE = np.zeros((0, 0), dtype=np.uint8)

SomeContent_contra = TypeVar("SomeContent_contra", contravariant=True)
SomeHeader_contra = TypeVar("SomeHeader_contra", contravariant=True)


@runtime_checkable
class Glancer(Protocol[SomeContent_contra, SomeHeader_contra]):
    """Glances at inputs of one kind."""

    def glance(self, sample: str, content: SomeContent_contra, header: SomeHeader_contra, spec: InputSpec) -> Glance:
        """Return digest, size and fault of one input; of an image its small picture too."""
        ...


def glancer(kind: str) -> Glancer[Content, AnyHeader]:
    """Return who glances at inputs of a kind."""
    return cast("Glancer[Content, AnyHeader]", input_kind(kind).part("audited"))


class Images:
    """Glances at images, see `hounsfield.stages.auditing.thumbnails.glance`."""

    def glance(self, sample: str, content: Image, header: Header, spec: InputSpec) -> Glance:
        """Look at one decoded image."""
        del spec
        return glance(sample, content, header)


class Signals:
    """Glances at signals: the digest is of values and lead names; an empty one is a fault, swapped leads a doubt."""

    def glance(self, sample: str, content: Signal | LongSignal, header: SignalHeader, spec: InputSpec) -> Glance:
        """Look at one signal."""
        del spec
        if isinstance(content, LongSignal):
            return _long(sample, content, header)
        values = content.array
        known = values[np.isfinite(values)]
        times = np.zeros(0) if content.times_s is None else content.times_s - content.times_s[0]
        found = _plain(
            "signal",
            sample,
            digest=_digest(values, times, "|".join(content.leads)),
            size=(content.samples,),
            file_format=header.file_format,
            known=known.astype(np.float64),
            fault=signal_fault(content),
        )
        return found if found.fault else replace(found, doubt=signal_doubt(content))


class Rows:
    """Glances at rows; two equal rows are a repeat only where they hold `TELLING` numbers that tell patients apart."""

    def glance(self, sample: str, content: Row, header: Header, spec: InputSpec) -> Glance:
        """Look at one row."""
        known = content.values[np.isfinite(content.values)]
        coded = {c.name for c in spec.columns if c.kind != "numeric"}
        numeric = np.array([name not in coded for name in content.names])
        numbers = content.values[numeric & np.isfinite(content.values)]
        telling = (numbers != np.rint(numbers)) | (np.abs(numbers) > SMALL_NUMBER)
        own = "" if telling.sum() >= TELLING else sample
        return _plain(
            "row",
            sample,
            digest=_digest(content.values, np.zeros(0), "|".join((*content.names, own))),
            size=(len(content.names),),
            file_format=header.file_format,
            known=known,
            fault="" if len(known) else "every value of the row is missing",
        )


def _long(sample: str, signal: LongSignal, header: SignalHeader) -> Glance:
    found = long_glance(signal)
    size, none = (signal.samples,), np.zeros(0)
    plain = _plain(
        "signal",
        sample,
        digest=found.digest,
        size=size,
        file_format=header.file_format,
        known=none,
        fault=found.fault,
    )
    return replace(plain, brightness=found.mean, contrast=found.std)


def signal_fault(signal: Signal) -> str:
    """Return why a signal cannot be used, one clause; ``""`` where it can.

    Parameters
    ----------
    signal : Signal
    """
    known = signal.array[np.isfinite(signal.array)]
    if not len(known):
        return "every value of the signal is missing"
    if signal.samples < 2:
        return "the series has a single point"
    if signal.times_s is None and float(known.min()) == float(known.max()):
        return "the signal is flat: every value is the same"
    return ""


def signal_doubt(signal: Signal) -> str:
    """Return which leads of an electrocardiogram contradict each other, one clause; ``""`` where none do.

    Parameters
    ----------
    signal : Signal
        One that is shorter than `LEAST_S`, such as a beat, is not judged.
    """
    if signal.rate_hz is None or signal.samples < LEAST_S * signal.rate_hz:
        return ""
    from hounsfield.science.physiology.leads import lead_faults

    first = signal.array[:, : round(LOOKED_AT_S * signal.rate_hz)]
    return "; ".join(f"{fault.name}: {fault.evidence}" for fault in lead_faults(replace(signal, array=first)))


def _plain(
    kind: str, sample: str, *, digest: str, size: tuple[int, ...], file_format: str, known: Float64Array, fault: str
) -> Glance:
    return Glance(
        sample=sample,
        digest=digest,
        picture=_NO_PICTURE,
        size=size,
        file_format=file_format,
        bits_per_pixel=0.0,
        brightness=float(known.mean()) if len(known) else 0.0,
        contrast=float(known.std()) if len(known) else 0.0,
        border=0.0,
        border_contrast=0.0,
        fault=fault,
        kind=kind,
    )


def _digest(values: AnyArray, times: AnyArray, names: str) -> str:
    """Hash values, whatever bits stand for their missing ones."""
    text = hashlib.blake2b(f"{values.shape}|{names}".encode(), digest_size=16)
    for array in (values, times):
        plain = np.ascontiguousarray(array, dtype=np.float32)
        text.update(np.where(np.isnan(plain), np.float32(np.nan), plain).tobytes())
    return text.hexdigest()


IMAGES = Images()
SIGNALS = Signals()
ROWS = Rows()
