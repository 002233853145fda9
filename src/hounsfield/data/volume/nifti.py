"""NIfTI-1 and -2: ``.nii``, ``.nii.gz`` and pairs of ``.hdr`` and ``.img``."""

from pathlib import Path

from hounsfield.core.cohort import Cohort, Ref
from hounsfield.core.errors import case_id
from hounsfield.core.image import Header, Image
from hounsfield.data.files import inside
from hounsfield.data.volume.bounded import unpacked_head
from hounsfield.data.volume.nifti_header import HEAD, is_analyze, is_nifti, read_nifti_header
from hounsfield.data.volume.stored import Stored


class NiftiReader:
    """Reads volumes with their place in the patient.

    Notes
    -----
    The sform is used where it is declared and possible, else the qform. A fourth axis is time where the header gives
    it a unit of time, and channels otherwise; part ``("axis4", "channels")`` or ``("axis4", "time")`` decides where
    the header does not. Of a time series the first volume is read, or the one that part ``("volume", i)`` names; part
    ``("channel", i)`` picks one channel. A volume of one plane is an image of two axes. NaN, which resampling leaves
    where nothing was measured, becomes the volume's lowest value, unless part ``("unknown", "kept")`` keeps it.
    """

    def sniff(self, head: bytes, name: str) -> bool:
        """Tell by the magic at its place, inside a gzip too; Analyze is known, to be refused with its reason."""
        if head[:2] == b"\x1f\x8b":
            head = unpacked_head(head, HEAD)
        return is_nifti(head) or (is_analyze(head) and name.lower().endswith((".hdr", ".hdr.gz")))

    def stored(self, root: Path, ref: Ref) -> Stored:
        """Return what the header says; raise ReadError with the reason."""
        return read_nifti_header(inside(root, ref.path), case_id(ref.path))

    def header(self, cohort: Cohort, ref: Ref) -> Header:
        """Return size, channels and depth from the file's header."""
        return self.stored(Path(cohort.root), ref).header(ref)

    def read(self, cohort: Cohort, ref: Ref) -> Image:
        """Return the volume; integers stay integers where slope and intercept are whole."""
        return self.stored(Path(cohort.root), ref).image(ref)
