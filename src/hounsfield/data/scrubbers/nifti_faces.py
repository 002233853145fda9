"""Takes the face out of a NIfTI volume in place: only the stored values of its voxels change, nothing moves."""

from pathlib import Path

import numpy as np

from hounsfield.core.errors import ReadError, RefusedError, case_id
from hounsfield.data.scrubbers.order import FaceRemover
from hounsfield.data.volume.nifti_header import read_nifti_header

REMOVE_FACES = "remove-faces"
"""The option that asks for it."""


def take_out_face(content: bytearray, source: Path, remove: FaceRemover) -> None:
    """Set the voxels of a face to the background.

    Parameters
    ----------
    content : bytearray
        The whole file, unpacked; changed in place.
    source : pathlib.Path
        The file whose header tells where the voxels are.
    remove : FaceRemover

    Raises
    ------
    RefusedError
        If no face can be found in such a volume; it must not be believed to be gone then.
    ReadError
        If the header cannot be believed.
    """
    stored = read_nifti_header(source, case_id(source.name))
    if stored.axes != "xyz" or stored.shape[2] < 2 or stored.dtype.kind not in "iuf":
        raise _no_volume("it is not one volume of grey values")
    if stored.affine_ras is None:
        raise _no_volume("it does not say how it lies in the patient")
    if stored.slope < 0:
        raise _no_volume("its values are stored upside down")
    count = int(np.prod(stored.shape))
    if len(content) < stored.skip + count * stored.dtype.itemsize:
        raise ReadError("The volume is cut off.", expected="all its voxels", next_step="copy it again from its source")
    voxels = np.frombuffer(content, stored.dtype, count, stored.skip).reshape(stored.shape[::-1])
    values = voxels.astype(stored.dtype.newbyteorder("="))
    if stored.dtype.kind == "f":
        finite = np.isfinite(values)
        if not finite.any():
            raise _no_volume("it holds no number")
        values = np.where(finite, values, values[finite].min())
    clean, removed = remove(values, stored.affine_ras)
    if not removed.any():
        raise _no_volume("nothing of a face was found")
    voxels[removed] = clean[removed]


def _no_volume(found: str) -> RefusedError:
    return RefusedError(
        f"The volume has no face that could be taken out: {found}.",
        expected="one CT or MR volume of a head that says how it lies in the patient",
        next_step=f"run it without {REMOVE_FACES}, or leave it out",
    )
