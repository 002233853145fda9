"""Waveforms of DICOM objects, against pydicom's own decoding, the audio standard and hand-made files."""

import os
import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian

from hounsfield.core.cohort import Cohort, Ref, Schema
from hounsfield.core.errors import ReadError
from hounsfield.data.signal.readers import read_signal, signal_header, signal_reader_for
from tests.data_room.dicom.waves import TYPES, Order, channel_of, group_of

DATA = Path(os.environ.get("HOUNSFIELD_DATA", Path(__file__).parents[3] / "../shared/data"))
NAME = "ecg.dcm"


def _written(folder: Path, groups: list[Dataset], *, big: bool = False) -> Cohort:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian if big else ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = UID("1.2.840.10008.5.1.4.1.1.9.1.2")
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = UID("1.2.3")
    dataset.PatientName = "PLANTED^NAME"
    dataset.WaveformSequence = groups
    dataset.save_as(folder / NAME, enforce_file_format=True, little_endian=not big, implicit_vr=False)
    return _cohort(folder)


def _cohort(folder: Path) -> Cohort:
    return Cohort("a", str(folder), (), Schema())


def _values(count: int, channels: int, low: int, high: int) -> np.ndarray:
    return np.random.Generator(np.random.PCG64(5)).integers(low, high, (count, channels))


def test_an_electrocardiogram_of_the_corpus_as_pydicom_reads_it() -> None:
    folder = DATA / "dicom-corpus" / "signals"
    if not folder.exists():
        pytest.skip("dicom-corpus is not in the folder that HOUNSFIELD_DATA names")
    path = folder / "waveform_ecg.dcm"
    assert signal_reader_for(path) == "dicom-waveform"
    cohort, ref = _cohort(folder), Ref("dicom-waveform", path.name)
    header = signal_header(cohort, ref)
    assert header.leads == ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
    assert (header.samples, header.rate_hz, set(header.units)) == (10_000, 1000, {"uV"})
    assert header.notes == ("1 further multiplex groups were not read",)
    dataset = pydicom.dcmread(path)
    np.testing.assert_allclose(read_signal(cohort, ref).array, dataset.waveform_array(0).T, rtol=1e-6)
    beat = read_signal(cohort, Ref("dicom-waveform", path.name, (("group", 1),)))
    np.testing.assert_allclose(beat.array, dataset.waveform_array(1).T, rtol=1e-6)
    # Einthoven: what I and III say of II, to the precision of the stored steps
    signal = read_signal(cohort, ref, start=500, stop=1500)
    np.testing.assert_allclose(signal.lead("I") + signal.lead("III"), signal.lead("II"), atol=4)
    assert signal.start_s == 0.5


@pytest.mark.parametrize("sort", ["SS", "US", "SL", "SB", "UB"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_samples_become_values_of_their_unit(tmp_path: Path, sort: str, order: Order) -> None:
    info = np.iinfo(np.dtype(TYPES[sort]))
    stored = _values(31, 2, max(info.min, -500), min(info.max, 500))
    channels = [
        channel_of("ABP", ChannelSensitivity="0.5", ChannelBaseline="-3", unit="mm[Hg]"),
        channel_of("II", ChannelSensitivity="2", ChannelSensitivityCorrectionFactor="1.5", unit="mV"),
    ]
    cohort = _written(tmp_path, [group_of(stored, sort, channels, order=order)], big=order == ">")
    found = read_signal(cohort, Ref("dicom-waveform", NAME))
    assert (found.leads, found.units, found.rate_hz) == (("ABP", "II"), ("mmHg", "mV"), 250)
    np.testing.assert_allclose(found.array, np.stack([stored[:, 0] * 0.5 - 3, stored[:, 1] * 3.0]), rtol=1e-6)
    window = read_signal(cohort, Ref("dicom-waveform", NAME, (("lead", "II"),)), start=5, stop=9)
    np.testing.assert_allclose(window.array, stored[None, 5:9, 1] * 3.0, rtol=1e-6)


@pytest.mark.parametrize("sort", ["MB", "AB"])
def test_companded_sound_is_expanded_as_the_standard_says(tmp_path: Path, sort: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        audioop = pytest.importorskip("audioop")
    stored = np.arange(256)[:, None]
    expand = audioop.ulaw2lin if sort == "MB" else audioop.alaw2lin
    expected = np.frombuffer(expand(bytes(range(256)), 2), "<i2")
    cohort = _written(tmp_path, [group_of(stored, sort, [channel_of("sound", ChannelSensitivity="1", unit="mV")])])
    np.testing.assert_array_equal(read_signal(cohort, Ref("dicom-waveform", NAME)).array[0], expected)


def test_padding_is_missing_and_what_is_not_told_is_said(tmp_path: Path) -> None:
    stored = _values(20, 2, -99, 99)
    stored[3, 0] = -32768
    channels = [channel_of("a"), channel_of("a", ChannelSampleSkew="0.25")]
    group = group_of(stored, "SS", channels)
    group.add_new("WaveformPaddingValue", "OW", np.array([-32768], "<i2").tobytes())
    derived = group_of(_values(90, 1, 0, 9), "SS", [channel_of("mean beat")], told={"WaveformOriginality": "DERIVED"})
    cohort = _written(tmp_path, [derived, group])
    header = signal_header(cohort, Ref("dicom-waveform", NAME))
    assert header.leads == ("a", "a #2")
    assert header.units == ("", "")
    assert len(header.notes) == 3  # another group, no sensitivity, skew
    found = read_signal(cohort, Ref("dicom-waveform", NAME)).array  # what was recorded, though the mean is longer
    assert np.isnan(found[0, 3])
    assert np.isfinite(found).sum() == 39


FAULTS: dict[str, dict[str, object]] = {
    "rate": {"SamplingFrequency": "0"},
    "channels": {"NumberOfWaveformChannels": 0},
    "length": {"NumberOfWaveformSamples": 4_000_000_000},
    "short": {"NumberOfWaveformSamples": 21},
    "bits": {"WaveformBitsAllocated": 8},
    "sort": {"WaveformSampleInterpretation": "XX"},
    "undefined": {"ChannelDefinitionSequence": []},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_waveform_that_contradicts_itself_is_refused(tmp_path: Path, fault: str) -> None:
    group = group_of(_values(20, 1, 0, 9), "SS", [channel_of("a")], told=FAULTS[fault])
    cohort = _written(tmp_path, [group])
    with pytest.raises(ReadError) as caught:
        read_signal(cohort, Ref("dicom-waveform", NAME))
    told = str(caught.value)
    assert "PLANTED" not in told
    assert str(tmp_path) not in told
    assert caught.value.next_step


def test_no_waveform_and_no_such_group_are_refused(tmp_path: Path) -> None:
    cohort = _written(tmp_path, [])
    with pytest.raises(ReadError, match="no waveform"):
        read_signal(cohort, Ref("dicom-waveform", NAME))
    cohort = _written(tmp_path, [group_of(_values(20, 1, 0, 9), "SS", [channel_of("a")])])
    for wrong in (1, "-1", "x"):
        with pytest.raises(ReadError, match="multiplex group"):
            read_signal(cohort, Ref("dicom-waveform", NAME, (("group", wrong),)))
