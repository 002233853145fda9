"""What the audit keeps of a signal too long to be held whole, from one reading by stretches."""

import hashlib
from dataclasses import dataclass

import numpy as np

from hounsfield.core.long_signal import LongSignal


@dataclass(frozen=True)
class LongGlance:
    """Numbers of all known values of a long signal.

    Parameters
    ----------
    digest : str
        Hash of values and lead names, whatever bits stand for missing values; equal for equal signals, and another than
        that of the same signal held whole.
    mean, std : float
        0 where nothing is known.
    fault : str
        Why the signal cannot be used, one clause; ``""`` where it can.
    """

    digest: str
    mean: float
    std: float
    fault: str


def long_glance(signal: LongSignal) -> LongGlance:
    """Read a signal once.

    Parameters
    ----------
    signal : LongSignal

    Raises
    ------
    ReadError
        If a stretch cannot be read.
    """
    text = hashlib.blake2b(
        f"long {len(signal.leads), signal.samples}|{'|'.join(signal.leads)}".encode(), digest_size=16
    )
    count, mean, squares = 0, 0.0, 0.0
    low, high = np.inf, -np.inf
    for stretch in signal.stretches():
        plain = np.ascontiguousarray(stretch.array)
        text.update(np.where(np.isnan(plain), np.float32(np.nan), plain).tobytes())
        known = plain[np.isfinite(plain)].astype(np.float64)
        if not len(known):
            continue
        own = float(known.mean())
        total, apart = count + len(known), own - mean
        squares += float(((known - own) ** 2).sum()) + apart**2 * count * len(known) / total
        mean, count = mean + apart * len(known) / total, total
        low, high = min(low, float(known.min())), max(high, float(known.max()))
    fault = "" if low < high else "the signal is flat: every value is the same"
    if not count:
        return LongGlance(text.hexdigest(), 0.0, 0.0, "every value of the signal is missing")
    return LongGlance(text.hexdigest(), mean, float(np.sqrt(squares / count)), fault)
