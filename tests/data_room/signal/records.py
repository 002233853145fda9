"""Records written by hand, byte by byte, so that the readers are checked against something else than themselves."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from hounsfield.core.cohort import Cohort, Ref, Schema
from hounsfield.core.streams import stream

Ints = npt.NDArray[np.int64]


def cohort_in(folder: Path) -> Cohort:
    return Cohort("signals", str(folder), (), Schema())


def wfdb(name: str = "a") -> Ref:
    return Ref("wfdb", f"{name}.hea")


def some_samples(samples: int, leads: int, bits: int, seed: int = 0) -> Ints:
    """Return stored values, ``t l``, that use the whole range but the lowest value (which means "not recorded")."""
    half = 1 << (bits - 1)
    return stream(seed, "records", bits).integers(-half + 1, half, (samples, leads))


def packed(values: Ints, packing: int) -> bytes:
    """Return samples as the WFDB manual (signal(5)) says, one by one."""
    out = bytearray()
    flat = [int(v) for v in values.reshape(-1)]
    if packing == 212:
        flat += [0] * (len(flat) % 2)
        for a, b in zip(flat[::2], flat[1::2], strict=True):
            out += bytes([a & 0xFF, (a >> 8 & 0x0F) | (b >> 8 & 0x0F) << 4, b & 0xFF])
    elif packing == 310:
        flat += [0] * (-len(flat) % 3)
        for a, b, c in zip(flat[::3], flat[1::3], flat[2::3], strict=True):
            out += ((a & 0x3FF) << 1 | (c & 0x1F) << 11).to_bytes(2, "little")
            out += ((b & 0x3FF) << 1 | (c >> 5 & 0x1F) << 11).to_bytes(2, "little")
    elif packing == 311:
        flat += [0] * (-len(flat) % 3)
        for a, b, c in zip(flat[::3], flat[1::3], flat[2::3], strict=True):
            out += (a & 0x3FF | (b & 0x3FF) << 10 | (c & 0x3FF) << 20).to_bytes(4, "little")
    else:
        for v in flat:
            if packing == 80:
                out += bytes([v + 128])
            elif packing == 160:
                out += (v + 32768).to_bytes(2, "little")
            elif packing == 61:
                out += (v & 0xFFFF).to_bytes(2, "big")
            else:
                size = {16: 2, 24: 3, 32: 4}[packing]
                out += (v & (1 << 8 * size) - 1).to_bytes(size, "little")
    return bytes(out)


def write_record(folder: Path, values: Ints, packing: int, *, name: str = "a", gain: str = "100(5)/mV") -> None:
    """Write one record: ``values`` is ``t l``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.dat").write_bytes(packed(values, packing))
    lines = [f"{name} {values.shape[1]} 250 {len(values)}"]
    for lead in range(values.shape[1]):
        total = (int(values[:, lead].sum()) + 32768) % 65536 - 32768
        lines.append(f"{name}.dat {packing} {gain} 12 0 {int(values[0, lead])} {total} 0 lead {lead}")
    (folder / f"{name}.hea").write_text("\n".join(lines) + "\n")
