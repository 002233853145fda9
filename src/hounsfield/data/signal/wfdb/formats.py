"""How WFDB signal files pack their samples: any run of samples is decoded without those before it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hounsfield.core.types import AnyArray

Int32Array = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Packing:
    """One storage format.

    Parameters
    ----------
    samples, bytes : int
        The smallest unit: so many samples in so many bytes.
    invalid : int
        The value that stands for "not recorded".
    decode : callable
        Bytes of whole units to int32 samples.
    """

    samples: int
    bytes: int
    invalid: int
    decode: Callable[[AnyArray], Int32Array]

    def samples_in(self, size: int) -> int:
        """Return how many samples a file of `size` bytes holds, an incomplete last unit counted as far as it goes."""
        units, rest = divmod(size, self.bytes)
        extra = 0
        if rest and self.samples > 1:
            extra = self._in_rest(rest)
        return units * self.samples + extra

    def _in_rest(self, rest: int) -> int:
        if self.bytes == 3:  # 212: two bytes hold the first sample
            return 1 if rest >= 2 else 0
        return 1 if rest in (2, 3) else 0  # 310 and 311: the first pair of bytes holds the first sample


def _format_212(raw: AnyArray) -> Int32Array:
    three = raw.reshape(-1, 3).astype(np.int32)
    pair = np.stack([three[:, 0] | (three[:, 1] & 0x0F) << 8, three[:, 2] | (three[:, 1] & 0xF0) << 4], axis=1)
    return _signed(pair.reshape(-1), 12)


def _format_310(raw: AnyArray) -> Int32Array:
    words = np.frombuffer(raw.tobytes(), "<u2").reshape(-1, 2).astype(np.int32)
    first, second = words[:, 0], words[:, 1]
    third = (first >> 11) & 0x1F | ((second >> 11) & 0x1F) << 5
    return _signed(np.stack([first >> 1 & 0x3FF, second >> 1 & 0x3FF, third], axis=1).reshape(-1), 10)


def _format_311(raw: AnyArray) -> Int32Array:
    word = np.frombuffer(raw.tobytes(), "<u4").astype(np.int64)
    three = np.stack([word & 0x3FF, word >> 10 & 0x3FF, word >> 20 & 0x3FF], axis=1)
    return _signed(three.reshape(-1).astype(np.int32), 10)


def _format_24(raw: AnyArray) -> Int32Array:
    three = raw.reshape(-1, 3).astype(np.int32)
    return _signed(three[:, 0] | three[:, 1] << 8 | three[:, 2] << 16, 24)


def _signed(values: Int32Array, bits: int) -> Int32Array:
    half = np.int32(1 << (bits - 1))
    return np.asarray((values ^ half) - half, np.int32)


def _plain(dtype: str, offset: int = 0) -> Callable[[AnyArray], Int32Array]:
    def decode(raw: AnyArray) -> Int32Array:
        return np.asarray(np.frombuffer(raw.tobytes(), dtype).astype(np.int32) - offset, np.int32)

    return decode


PACKINGS = {
    16: Packing(1, 2, -(1 << 15), _plain("<i2")),
    61: Packing(1, 2, -(1 << 15), _plain(">i2")),
    160: Packing(1, 2, -(1 << 15), _plain("<u2", 1 << 15)),
    24: Packing(1, 3, -(1 << 23), _format_24),
    32: Packing(1, 4, -(1 << 31), _plain("<i4")),
    80: Packing(1, 1, -(1 << 7), _plain("u1", 1 << 7)),
    212: Packing(2, 3, -(1 << 11), _format_212),
    310: Packing(3, 4, -(1 << 9), _format_310),
    311: Packing(3, 4, -(1 << 9), _format_311),
}
"""Number of the format in a header to how it is decoded."""
