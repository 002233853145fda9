"""Takes the face out of a stored volume in place: only the stored values of its voxels change, nothing moves."""

import numpy as np

from hounsfield.core.errors import ReadError, RefusedError
from hounsfield.data.scrubbers.order import FaceRemover
from hounsfield.data.volume.stored import Stored

REMOVE_FACES = "remove-faces"
"""The option that asks for it."""


def take_out_face(content: bytearray, stored: Stored, remove: FaceRemover) -> None:
    """Set the voxels of a face to the background.

    Parameters
    ----------
    content : bytearray
        Unpacked; changed in place.
    stored : Stored
        Where in it the voxels are, and how they lie in the patient.
    remove : FaceRemover

    Raises
    ------
    RefusedError
        If no face can be found in such a volume; it must not be believed to be gone then.
    ReadError
        If voxels are missing.
    """
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
