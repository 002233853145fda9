"""The table of readers, and the one way to read what a ref means."""

from pathlib import Path
from typing import cast

from hounsfield.core.cohort import Cohort, Ref
from hounsfield.core.errors import ReadError
from hounsfield.core.image import Header, Image
from hounsfield.core.tables import Table
from hounsfield.data.files import first_bytes
from hounsfield.data.protocols import Reader

READERS = Table(
    "reader",
    {
        "raster": "hounsfield.data.raster:RasterReader",
        "npz": "hounsfield.data.npz:NpzReader",
        "npy": "hounsfield.data.npz:NpyReader",
        "memory": "hounsfield.data.memory:MemoryReader",
        "dicom": "hounsfield.data.dicom.reader:DicomReader",
        "dicom-masks": "hounsfield.data.dicom.mask_reader:MaskReader",
        "nifti": "hounsfield.data.volume.nifti:NiftiReader",
        "nrrd": "hounsfield.data.volume.nrrd:NrrdReader",
        "metaimage": "hounsfield.data.volume.metaimage:MetaImageReader",
        "boxes": "hounsfield.data.boxes:BoxReader",
        "mask-files": "hounsfield.data.joined_masks:JoinedReader",
    },
)
"""Name to reader class; a reader is built without arguments."""

HEAD_BYTES = 512


def reader(name: str) -> Reader:
    """Return the reader called `name`.

    Raises
    ------
    ReadError
        If the format has no reader in this version.
    """
    if name not in READERS:
        raise ReadError(
            f"There is no reader for {name} files in this version.",
            expected="one of " + ", ".join(READERS.names()),
            next_step="convert the files to PNG, TIFF or npz",
        )
    return cast("type[Reader]", READERS.resolve(name))()


def read(cohort: Cohort, ref: Ref) -> Image:
    """Return the image that a ref means.

    Parameters
    ----------
    cohort : Cohort
        Where the ref belongs: its root and its arrays in memory.
    ref : Ref
        What to read.

    Returns
    -------
    Image
        ``c y x`` or ``c z y x`` in the stored dtype.

    Raises
    ------
    ReadError
        If it cannot be read; the message says why.
    """
    return reader(ref.reader).read(cohort, ref)


def header(cohort: Cohort, ref: Ref) -> Header:
    """Return size, channels, bits and format of what a ref means, without decoding pixels where possible."""
    return reader(ref.reader).header(cohort, ref)


def reader_for(path: Path) -> str | None:
    """Return the name of the reader for a file, by its content; None where no reader knows it.

    Raises
    ------
    ReadError
        If the file cannot be opened.
    """
    head = first_bytes(path, HEAD_BYTES)
    for name in READERS:
        if reader(name).sniff(head, path.name):
            return name
    return None
