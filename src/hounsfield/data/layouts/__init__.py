"""Ways in which a data set can lie in a folder, one file each.

Enters: a folder or file, and what the user said of it.
Leaves: a claim of how surely it lies this way, and the cohort.
"""

from hounsfield.core.tables import Table

LAYOUTS = Table(
    "layout",
    {
        "declared": "hounsfield.data.layouts.declared:DeclaredLayout",
        "nnunet": "hounsfield.data.layouts.nnunet:NnunetLayout",
        "msd": "hounsfield.data.layouts.msd:MsdLayout",
        "bids": "hounsfield.data.layouts.bids:BidsLayout",
        "medmnist": "hounsfield.data.layouts.medmnist:MedmnistLayout",
        "boxes": "hounsfield.data.layouts.boxes:BoxesLayout",
        "manifest": "hounsfield.data.layouts.manifest:ManifestLayout",
        "dicom": "hounsfield.data.layouts.dicom:DicomLayout",
        "waveforms": "hounsfield.data.layouts.waveforms:WaveformsLayout",
        "class folders": "hounsfield.data.layouts.class_folders:ClassFoldersLayout",
        "pairs": "hounsfield.data.layouts.pairs:PairsLayout",
        "wfdb": "hounsfield.data.layouts.wfdb:WfdbLayout",
        "edf": "hounsfield.data.layouts.edf:EdfLayout",
        "events": "hounsfield.data.layouts.events:EventsLayout",
        "ucr": "hounsfield.data.layouts.ucr:UcrLayout",
        "columns": "hounsfield.data.layouts.columns:ColumnsLayout",
        "table": "hounsfield.data.layouts.table:TableLayout",
        "files": "hounsfield.data.layouts.files:FilesLayout",
    },
)
"""Name to layout class; a layout is built without arguments. Of equal claims the first in the table wins."""
