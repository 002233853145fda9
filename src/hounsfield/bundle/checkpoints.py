"""Checkpoints: one file, exact to the bit, replaced as a whole."""

from collections.abc import Mapping
from pathlib import Path

from hounsfield.bundle.atomic import write_bytes
from hounsfield.bundle.tensors import decode_arrays, encode_arrays
from hounsfield.core.errors import BundleError
from hounsfield.core.types import AnyArray, Json


def save_checkpoint(path: Path, arrays: Mapping[str, AnyArray], meta: Json) -> None:
    """Write a checkpoint; the one before stays until the new one is whole.

    Parameters
    ----------
    path : pathlib.Path
        A ``.safetensors`` file.
    arrays : mapping of str to numpy.ndarray
        Weights, optimiser state, generator state: any dtype of fixed width, kept to the bit.
    meta : JSON value
        Step, losses and what else the loop needs.

    Raises
    ------
    StorageError
        If the system refuses the write; the checkpoint before is untouched.
    """
    write_bytes(path, encode_arrays(arrays, meta))


def load_checkpoint(path: Path) -> tuple[dict[str, AnyArray], Json] | None:
    """Return a checkpoint's arrays and JSON value, or None where there is none.

    Raises
    ------
    BundleError
        If the file is damaged, of a newer version, or cannot be read.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BundleError(
            f"{path.name} cannot be read.", expected="a readable file", next_step="check the permissions of the folder"
        ) from error
    return decode_arrays(data, path.name)
