"""Parts of DICOM waveforms, made with pydicom."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
from pydicom.dataset import Dataset

Order = Literal["<", ">"]
TYPES = {"SS": "i2", "US": "u2", "SL": "i4", "SB": "i1", "UB": "u1", "MB": "u1", "AB": "u1"}


def channel_of(label: str, **told: object) -> Dataset:
    """Return the definition of a channel; `unit` is a UCUM code."""
    found = Dataset()
    found.ChannelLabel = label
    for keyword, value in told.items():
        setattr(found, keyword, value)
    if "unit" in told:
        del found.unit
        coded = Dataset()
        coded.CodeValue, coded.CodingSchemeDesignator, coded.CodeMeaning = told["unit"], "UCUM", "unit"
        found.ChannelSensitivityUnitsSequence = [coded]
    return found


def group_of(
    stored: np.ndarray,
    sort: str,
    channels: list[Dataset],
    *,
    order: Order = "<",
    told: Mapping[str, object] | None = None,
) -> Dataset:
    """Return a multiplex group of stored samples, ``t l``, at 250 Hz."""
    found = Dataset()
    found.WaveformOriginality = "ORIGINAL"
    found.NumberOfWaveformSamples, found.NumberOfWaveformChannels = stored.shape
    found.SamplingFrequency = "250"
    found.ChannelDefinitionSequence = channels
    kind = np.dtype(TYPES[sort]).newbyteorder(order)
    found.WaveformBitsAllocated = 8 * kind.itemsize
    found.WaveformSampleInterpretation = sort
    data = stored.astype(kind).tobytes()
    found.add_new("WaveformData", "OW" if kind.itemsize > 1 else "OB", data + b"\0" * (len(data) % 2))
    for keyword, value in (told or {}).items():
        setattr(found, keyword, value)
    return found
