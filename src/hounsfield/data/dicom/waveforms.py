"""Waveforms of DICOM objects: electrocardiograms, pressures, respiration, sound, by multiplex group and window."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core.cohort import Cohort, Ref
from hounsfield.core.signal import Signal, SignalHeader
from hounsfield.core.types import AnyArray, Float32Array, Float64Array
from hounsfield.data.dicom.apart import WAVEFORMS
from hounsfield.data.dicom.opening import open_dataset
from hounsfield.data.dicom.values import content, integer, items, number, text
from hounsfield.data.files import inside
from hounsfield.data.signal.windows import check_size, chosen_leads, damaged, unlike, window_of

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

GROUP = "group"
"""Part of a ref: which multiplex group is meant, from 0; else the longest of those that were recorded."""

SOP_CLASSES = f"{WAVEFORMS}.".encode()

CODED_LEADS = {
    **{f"{scheme}{number}": f"V{number - 2}" for scheme in ("5.6.3-9-", "2:") for number in range(3, 9)},
    **{
        f"{scheme}{number}": name
        for scheme in ("5.6.3-9-", "2:")
        for number, name in ((1, "I"), (2, "II"), (61, "III"), (62, "aVR"), (63, "aVL"), (64, "aVF"))
    },
}
"""Code of a channel's source to the lead's name (PS3.16, context group 3001; the older codes are those of SCP-ECG)."""

_TYPES = {"SB": "i1", "UB": "u1", "SS": "i2", "US": "u2", "SL": "i4", "UL": "u4", "MB": "u1", "AB": "u1"}
_COMPANDED = ("MB", "AB")
_MAX_CHANNELS = 4096
_SPELT = {"uV": "uV", "mV": "mV", "mm[Hg]": "mmHg", "mmHg": "mmHg"}


class WaveformReader:
    """Reads one multiplex group of a DICOM waveform.

    Notes
    -----
    A sample is ``stored * sensitivity * correction + baseline`` in the channel's units (PS3.3, C.10.9.1); 8-bit mu-law
    and A-law sound is expanded first (ITU-T G.711). A sample that equals the padding value is NaN. Channels without
    a sensitivity are given as stored, without a unit, and the header's notes say so.
    """

    def sniff(self, head: bytes, name: str) -> bool:
        """Tell by the preamble's mark and the storage class in the file's meta information."""
        return head[128:132] == b"DICM" and SOP_CLASSES in head

    def header(self, cohort: Cohort, ref: Ref) -> SignalHeader:
        """Return leads, units, rate and length without decoding samples."""
        group, others, size = _found(cohort, ref)
        rows = chosen_leads(ref, group.names)
        notes = [f"{others} further multiplex groups were not read"] if others else []
        bare = [group.names[r] for r in rows if group.channels[r].bare]
        if bare:
            notes.append(f"no sensitivity is told for {', '.join(bare[:12])}: values are as stored")
        if any(group.channels[r].skewed for r in rows):
            notes.append("channels were sampled one after the other; the skew is not undone")
        return SignalHeader(
            tuple(group.names[r] for r in rows),
            tuple(group.channels[r].unit for r in rows),
            group.samples,
            group.rate_hz,
            "DICOM",
            size,
            tuple(notes),
        )

    def read(self, cohort: Cohort, ref: Ref, *, start: int = 0, stop: int | None = None) -> Signal:
        """Return a window of the group."""
        group, _, _ = _found(cohort, ref)
        rows = chosen_leads(ref, group.names)
        begin, end = window_of(ref, group.samples, start, stop)
        check_size(ref, len(rows), end - begin)
        stored = group.stored[begin:end, rows]
        array = np.empty((len(rows), end - begin), np.float32)
        for place, row in enumerate(rows):
            array[place] = group.channels[row].scaled(stored[:, place], group)
        return Signal(
            array,
            tuple(group.names[r] for r in rows),
            tuple(group.channels[r].unit for r in rows),
            rate_hz=group.rate_hz,
            start_s=group.start_s + begin / group.rate_hz,
        )


@dataclass(frozen=True)
class _Channel:
    name: str
    unit: str
    gain: float
    offset: float
    bare: bool
    skewed: bool

    def scaled(self, stored: AnyArray, group: "_Group") -> Float32Array:
        linear = _expanded(stored, group.sort) if group.sort in _COMPANDED else stored.astype(np.float64)
        values = linear * self.gain + self.offset
        if group.padding is not None:
            values[stored == group.padding] = np.nan
        return values.astype(np.float32)


@dataclass(frozen=True)
class _Group:
    names: tuple[str, ...]
    channels: tuple[_Channel, ...]
    samples: int
    rate_hz: float
    start_s: float
    sort: str
    padding: int | None
    stored: AnyArray


def _found(cohort: Cohort, ref: Ref) -> tuple[_Group, int, int]:
    """Return the group that a ref means, how many others there are, and the file's size."""
    path = inside(Path(cohort.root), ref.path)
    dataset = open_dataset(path)
    found = items(dataset, "WaveformSequence")
    if not found:
        raise damaged(ref, "the DICOM file holds no waveform.", "an object with a Waveform Sequence (5400,0100)")
    wanted = dict(ref.part).get(GROUP)
    if wanted is None:
        place = max(
            range(len(found)), key=lambda k: (text(found[k], "WaveformOriginality") != "DERIVED", _long(found[k]))
        )
    else:
        place = int(wanted) if str(wanted).isdecimal() else -1
        if not 0 <= place < len(found):
            raise damaged(
                ref, f"multiplex group {wanted!s:.20} was asked for.", f"0 to {len(found) - 1}", "correct the cohort"
            )
    return (
        _group(found[place], ref, big=dataset.original_encoding[1] is False),
        len(found) - 1,
        path.stat().st_size,
    )


def _long(group: "Dataset") -> float:
    rate = number(group, "SamplingFrequency") or 0.0
    return (integer(group, "NumberOfWaveformSamples") or 0) / rate if rate > 0 else 0.0


def _group(found: "Dataset", ref: Ref, *, big: bool) -> _Group:
    count, samples = integer(found, "NumberOfWaveformChannels") or 0, integer(found, "NumberOfWaveformSamples") or 0
    rate = number(found, "SamplingFrequency") or 0.0
    if not (0 < count <= _MAX_CHANNELS and samples > 0):
        raise damaged(ref, f"the waveform tells {count} channels of {samples} samples.", "at least one of each")
    if rate <= 0:
        raise damaged(ref, f"the waveform tells a sampling frequency of {rate:g} Hz.", "a positive one")
    sort = text(found, "WaveformSampleInterpretation")
    if sort not in _TYPES:
        raise damaged(ref, f"samples are interpreted as {sort[:8]!r}.", "one of " + ", ".join(_TYPES))
    told = np.dtype(_TYPES[sort]).newbyteorder(">" if big else "<")
    if (integer(found, "WaveformBitsAllocated") or 0) != 8 * told.itemsize:
        raise damaged(
            ref, f"samples of type {sort} are said to take {integer(found, 'WaveformBitsAllocated')} bits.",
            f"{8 * told.itemsize}",
        )  # fmt: skip
    data = content(found, "WaveformData")
    wanted = count * samples * told.itemsize
    if len(data) not in (wanted, wanted + wanted % 2):
        raise damaged(ref, f"the waveform has {len(data)} bytes.", f"{wanted}, as its channels and samples say")
    defined = items(found, "ChannelDefinitionSequence")
    if len(defined) != count:
        raise damaged(ref, f"{len(defined)} of {count} channels are defined.", "a definition for each channel")
    channels = tuple(_channel(one, k) for k, one in enumerate(defined))
    pad = content(found, "WaveformPaddingValue")
    return _Group(
        names=unlike([c.name for c in channels]),
        channels=channels,
        samples=samples,
        rate_hz=rate,
        start_s=(number(found, "MultiplexGroupTimeOffset") or 0.0) / 1000.0,
        sort=sort,
        padding=int(np.frombuffer(pad[: told.itemsize], told)[0])
        if len(pad) >= told.itemsize
        else integer(found, "WaveformPaddingValue"),
        stored=np.frombuffer(data, told, count=count * samples).reshape(samples, count),
    )


def _channel(found: "Dataset", place: int) -> _Channel:
    source = next(iter(items(found, "ChannelSourceSequence")), None)
    code = "" if source is None else text(source, "CodeValue")
    meaning = "" if source is None else text(source, "CodeMeaning")
    name = CODED_LEADS.get(code) or text(found, "ChannelLabel") or meaning or f"channel {place + 1}"
    units = next(iter(items(found, "ChannelSensitivityUnitsSequence")), None)
    unit = "" if units is None else text(units, "CodeValue")
    gain = number(found, "ChannelSensitivity")
    correction = number(found, "ChannelSensitivityCorrectionFactor")
    bare = gain is None or gain == 0.0
    return _Channel(
        name=name,
        unit="" if bare else _SPELT.get(unit, unit),
        gain=1.0 if gain is None or bare else gain * (1.0 if correction is None or correction == 0.0 else correction),
        offset=0.0 if bare else number(found, "ChannelBaseline") or 0.0,
        bare=bare,
        skewed=bool(number(found, "ChannelSampleSkew") or number(found, "ChannelTimeSkew")),
    )


def _expanded(stored: AnyArray, sort: str) -> Float64Array:
    """Return 8-bit companded samples as numbers of 16 bits (ITU-T G.711)."""
    if sort == "MB":
        code = np.bitwise_not(stored.astype(np.uint8)).astype(np.int64)
        size = ((((code & 0x0F) << 3) + 0x84) << ((code >> 4) & 7)) - 0x84
        return np.where(code & 0x80, -size, size).astype(np.float64)
    code = (stored.astype(np.uint8) ^ 0x55).astype(np.int64)
    step, low = (code >> 4) & 7, (code & 0x0F) << 4
    size = np.where(step == 0, low + 8, (low + 0x108) << np.maximum(step - 1, 0))
    return np.where(code & 0x80, size, -size).astype(np.float64)
