"""The table of readers of signals, beside the one of images: a signal is read by window, an image whole."""

from dataclasses import replace
from pathlib import Path
from typing import cast

from hounsfield.core.cohort import Cohort, Ref
from hounsfield.core.errors import ReadError
from hounsfield.core.signal import Signal, SignalHeader
from hounsfield.core.tables import Table
from hounsfield.core.units import spelled
from hounsfield.data.files import first_bytes
from hounsfield.data.signal.protocol import SignalReader

SIGNAL_READERS = Table(
    "signal reader",
    {
        "wfdb": "hounsfield.data.signal.wfdb.reader:WfdbReader",
        "edf": "hounsfield.data.signal.edf:EdfReader",
        "ucr": "hounsfield.data.signal.archive:UcrArraysReader",
        "ts": "hounsfield.data.signal.archive:TsReader",
        "events": "hounsfield.data.signal.events:EventsReader",
        "columns": "hounsfield.data.signal.columnar:ColumnarReader",
        "dicom-waveform": "hounsfield.data.dicom.waveforms:WaveformReader",
    },
)
"""Name to reader class; a reader is built without arguments."""

HEAD_BYTES = 512


def signal_reader(name: str) -> SignalReader:
    """Return the reader called `name`.

    Raises
    ------
    ReadError
        If signals of this format have no reader in this version.
    """
    if name not in SIGNAL_READERS:
        raise ReadError(
            f"There is no reader for {name} signals in this version.",
            expected="one of " + ", ".join(SIGNAL_READERS.names()),
            next_step="convert the files to WFDB, EDF or CSV",
        )
    return cast("type[SignalReader]", SIGNAL_READERS.resolve(name))()


def read_signal(cohort: Cohort, ref: Ref, *, start: int = 0, stop: int | None = None) -> Signal:
    """Return the signal that a ref means, or a window of it.

    Parameters
    ----------
    cohort : Cohort
        Where the ref belongs: its root.
    ref : Ref
        What to read.
    start, stop : int
        Samples, counted from the ref's start; None is its end.

    Raises
    ------
    ReadError
        If it cannot be read; the message says why.

    Notes
    -----
    Units are spelt as `hounsfield.core.units.spelled` has them, whatever the file's spelling.
    """
    found = signal_reader(ref.reader).read(cohort, ref, start=start, stop=stop)
    units = tuple(map(spelled, found.units))
    return found if units == found.units else replace(found, units=units)


def signal_header(cohort: Cohort, ref: Ref) -> SignalHeader:
    """Return leads, units, rate and length of what a ref means."""
    found = signal_reader(ref.reader).header(cohort, ref)
    return replace(found, units=tuple(map(spelled, found.units)))


def signal_reader_for(path: Path) -> str | None:
    """Return the name of the reader of signals for a file, by its content; None where no reader knows it.

    Raises
    ------
    ReadError
        If the file cannot be opened.
    """
    head = first_bytes(path, HEAD_BYTES)
    for name in SIGNAL_READERS:
        if signal_reader(name).sniff(head, path.name):
            return name
    return None
