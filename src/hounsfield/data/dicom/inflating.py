"""Inflates compressed bytes to a limit and no further."""

import zlib

from hounsfield.data.dicom.limits import Limits
from hounsfield.data.dicom.walking import Damage


def inflated(data: bytes, limits: Limits, *, wbits: int, most: int | None = None) -> bytes:
    """Return what compressed bytes inflate to, never more than the limit.

    Parameters
    ----------
    data : bytes
        gzip or raw deflate.
    limits : Limits
        How much it may become.
    wbits : int
        As zlib has it: 31 for gzip, -15 for raw deflate.
    most : int, optional
        Bytes after which the rest is left where it is; `limits` hold all the same.

    Raises
    ------
    Damage
        If they are damaged, end too early, or would become more than `limits.inflated_bytes`.
    """
    engine = zlib.decompressobj(wbits)
    ceiling = limits.inflated_bytes + 1 if most is None else min(most, limits.inflated_bytes + 1)
    try:
        whole = engine.decompress(data, ceiling)
    except zlib.error as error:
        raise Damage("is compressed and damaged") from error
    if len(whole) > limits.inflated_bytes:
        raise Damage(f"inflates to more than {limits.inflated_bytes:,} bytes", f"at most {limits.inflated_bytes:,}")
    if not engine.eof and most is None:
        raise Damage("is compressed and ends too early")
    return whole
