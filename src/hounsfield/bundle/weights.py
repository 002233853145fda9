"""Weights that another program wrote: tensors of a local safetensors file, read without executing anything."""

import hashlib
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, deserialize

from hounsfield.core.errors import InputError
from hounsfield.core.types import AnyArray

_TYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1", "U8": "u1",
    "BOOL": "?",
}  # fmt: skip


def read_weights(path: Path) -> tuple[str, dict[str, AnyArray]]:
    """Read a safetensors file of any origin.

    Parameters
    ----------
    path : pathlib.Path
        A local file. Nothing is ever fetched.

    Returns
    -------
    str
        SHA-256 of the file, 64 hexadecimal digits.
    dict of str to numpy.ndarray
        Tensors by name; bfloat16 becomes float32, exactly. Tensors of types that NumPy lacks are left out.

    Raises
    ------
    InputError
        If it is no such file, or cannot be read.
    """
    if path.is_dir():
        raise InputError(
            "The encoder is a folder.",
            expected="one safetensors file",
            next_step="name the file of one member: BUNDLE/members/0.safetensors",
        )
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(
            "The encoder file cannot be read.",
            expected="a local safetensors file",
            next_step="check path and permissions; nothing is fetched from a network",
        ) from error
    try:
        stored = deserialize(data)  # type: ignore[no-untyped-call]  # the library leaves it untyped
    except SafetensorError as error:
        raise InputError(
            "The encoder file is no safetensors file.",
            expected="weights in the safetensors format, such as BUNDLE/members/0.safetensors",
            next_step="convert it where it was made: other formats may execute code when they are read",
        ) from error
    arrays: dict[str, AnyArray] = {}
    for name, tensor in stored:
        array = _array(tensor["dtype"], tensor["data"])
        if array is not None:
            arrays[name] = array.reshape(tensor["shape"])
    return hashlib.sha256(data).hexdigest(), arrays


def _array(dtype: str, data: bytes) -> AnyArray | None:
    if dtype == "BF16":  # the upper half of a float32
        return (np.frombuffer(data, dtype="<u2").astype(np.uint32) << 16).view(np.float32)
    return np.frombuffer(data, dtype=_TYPES[dtype]) if dtype in _TYPES else None
