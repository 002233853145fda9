"""The table of writers: what annotations can be handed back as."""

from typing import cast

from hounsfield.core.tables import Table
from hounsfield.data.protocols import Writer

WRITERS = Table(
    "writer",
    {
        "nifti": "hounsfield.data.annotations.nifti:NiftiWriter",
        "png": "hounsfield.data.annotations.png:PngWriter",
        "dicom-seg": "hounsfield.data.dicom.answers.segments:SegmentationWriter",
        "dicom-rtstruct": "hounsfield.data.dicom.answers.structures:StructureSetWriter",
        "dicom-sr": "hounsfield.data.dicom.answers.measurements:ReportWriter",
        "overlay": "hounsfield.data.annotations.overlay:OverlayWriter",
        "coco": "hounsfield.data.annotations.coco:CocoWriter",
        "lesions": "hounsfield.data.annotations.lesions:LesionsWriter",
    },
)
"""Name to writer class; a writer is built without arguments."""
FOLDERS = ("masks", "dicom", "overlays", "coco", "lesions")
TABLES = ("coco.json", "lesions.csv")
"""What all of them write to, below the folder that they are given."""


def writer(name: str) -> Writer:
    """Return the writer called `name`.

    Raises
    ------
    UnknownNameError
        If there is none; the nearest is named.
    """
    return cast("type[Writer]", WRITERS.resolve(name))()
