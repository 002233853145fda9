"""Arrays and JSON in one safetensors text of bytes: exact to the bit, checked when read, nothing executed."""

import hashlib
import json
from collections.abc import Mapping

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError

from hounsfield.core.errors import BundleError
from hounsfield.core.types import AnyArray, Json

_KEY = "hounsfield"
_SCHEMA_VERSION = 1
_NATIVE = frozenset(
    np.dtype(name)
    for name in (
        "bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64",
        "float16", "float32", "float64",
    )
)  # fmt: skip


def encode_arrays(arrays: Mapping[str, AnyArray], meta: Json = None) -> bytes:
    """Return one safetensors file's bytes that hold arrays and a JSON value.

    Parameters
    ----------
    arrays : mapping of str to numpy.ndarray
        Any shape, 0-d and empty too; any dtype of fixed width (not ``object``).
    meta : JSON value
        Stored in the file's header; NaN and infinity are kept.

    Returns
    -------
    bytes
        The same bytes for the same content.

    Raises
    ------
    TypeError
        If an array holds Python objects, or is called ``__metadata__``.

    Notes
    -----
    The header also holds a SHA-256 of names, dtypes, shapes, values and JSON, which `decode_arrays` checks. Types that
    safetensors lacks (complex, text, dates) are stored as bytes and restored.
    """
    stored: dict[str, AnyArray] = {}
    views: dict[str, Json] = {}
    for name, array in sorted(arrays.items()):
        if array.dtype.hasobject or name == "__metadata__":
            raise TypeError(f"Array {name!r} of dtype {array.dtype} cannot be stored without executing code on load.")
        little = np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")
        if little.dtype not in _NATIVE:
            views[name] = [little.dtype.str, list(little.shape)]
            little = np.frombuffer(little.tobytes(), dtype=np.uint8)
        stored[name] = little
    facts = json.loads(json.dumps({"schema_version": _SCHEMA_VERSION, "views": views, "meta": meta}))
    header = {**facts, "sha256": _digest(stored, facts)}
    return safetensors.numpy.save(stored, metadata={_KEY: json.dumps(header, ensure_ascii=True)})


def decode_arrays(data: bytes, name: str) -> tuple[dict[str, AnyArray], Json]:
    """Return the arrays and the JSON value of `encode_arrays`, verified.

    Parameters
    ----------
    data : bytes
        The whole file.
    name : str
        File name for messages.

    Raises
    ------
    BundleError
        If a byte is not as it was written, or the file is from a newer version.
    """
    try:
        length = int.from_bytes(data[:8], "little")
        header = json.loads(json.loads(data[8 : 8 + length])["__metadata__"][_KEY])
        version = header["schema_version"]
        digest = header.pop("sha256")
        stored: dict[str, AnyArray] = dict(safetensors.numpy.load(data))
        intact = digest == _digest(stored, header)
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        raise damaged(name) from error
    if not intact:
        raise damaged(name)
    if version != _SCHEMA_VERSION:
        raise newer(name, version)
    for key, (dtype, shape) in header["views"].items():
        stored[key] = np.frombuffer(stored[key].tobytes(), dtype=np.dtype(dtype)).reshape(shape)
    arrays = {key: array if array.flags.writeable else array.copy() for key, array in stored.items()}
    meta: Json = header["meta"]
    return arrays, meta


def damaged(name: str) -> BundleError:
    """Build the error for a file whose bytes are not as they were written."""
    return BundleError(
        f"{name} is damaged: its content is not what was written.",
        expected="the file exactly as Hounsfield wrote it",
        next_step="copy it again from the original, or train again",
    )


def newer(name: str, version: object) -> BundleError:
    """Build the error for a file of a schema version that is not known yet."""
    return BundleError(
        f"{name} has the schema version {version!r}; it was written by a newer Hounsfield.",
        expected=f"schema version {_SCHEMA_VERSION}",
        next_step="update Hounsfield: pip install --upgrade hounsfield",
    )


def _digest(arrays: Mapping[str, AnyArray], facts: object) -> str:
    whole = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for name in sorted(arrays):
        array = arrays[name]
        whole.update(f"|{len(name)}|{name}|{array.dtype.str}|{array.shape}|".encode("utf-8", "surrogatepass"))
        whole.update(array.tobytes())
    return whole.hexdigest()
