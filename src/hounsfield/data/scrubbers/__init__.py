"""De-identification by format: what identifies a person goes out of a file, what is measured stays as it was.

Enters: a file and a `ScrubOrder`.
Leaves: a `Scrubbed`: the new bytes or the reason why there are none, and what the second pass has to look for.
"""

from hounsfield.core.tables import Table

SCRUBBERS = Table(
    "scrubber",
    {
        "dicom": "hounsfield.data.dicom.scrubbing:DicomScrubber",
        "nifti": "hounsfield.data.scrubbers.nifti:NiftiScrubber",
        "raster": "hounsfield.data.scrubbers.raster:RasterScrubber",
        "edf": "hounsfield.data.scrubbers.edf:EdfScrubber",
        "wfdb": "hounsfield.data.scrubbers.wfdb:WfdbScrubber",
        "nrrd": "hounsfield.data.scrubbers.text_volumes:NrrdScrubber",
        "metaimage": "hounsfield.data.scrubbers.text_volumes:MetaImageScrubber",
        "arrays": "hounsfield.data.scrubbers.arrays:ArraysScrubber",
        "cohort": "hounsfield.data.scrubbers.declared:DeclaredScrubber",
        "pdf": "hounsfield.data.scrubbers.pdf:PdfScrubber",
        "table": "hounsfield.data.scrubbers.tables:TableScrubber",
    },
)
"""Name to scrubber class, built without arguments; asked in this order, so what only names can tell comes last."""
