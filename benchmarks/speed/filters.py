"""Time of each reference map of IBSI 2, and of a plain convolution with the same kernel in the same run."""

import argparse
import dataclasses
import time
from collections.abc import Callable
from math import pi

import numpy as np
import numpy.typing as npt

from benchmarks.accuracy.filters import MAPS, PHANTOM_SPACING, Map, phantom
from benchmarks.record import provenance, write_result
from hounsfield.core.streams import stream
from hounsfield.science.radiomics.filters.boundaries import Boundary
from hounsfield.science.radiomics.filters.gabor import Gabor, Planes
from hounsfield.science.radiomics.filters.laws import Laws
from hounsfield.science.radiomics.filters.protocol import ImageFilter
from hounsfield.science.radiomics.filters.rotations import Pooling
from hounsfield.science.radiomics.filters.simoncelli import MARGIN
from hounsfield.science.radiomics.filters.wavelet import Wavelet

Array = npt.NDArray[np.float64]
MODES = {Boundary.ZERO: "constant", Boundary.NEAREST: "nearest", Boundary.PERIODIC: "wrap", Boundary.MIRROR: "reflect"}
SLICES = 8
"""A plain convolution's time is that of so many slices, scaled up: it grows with their number alone."""
ROTATIONS = {2: 4, 3: 24}


def seconds(run: Callable[[], object], repeats: int) -> float:
    """Return the least processor time of several runs: what else the machine does hardly counts."""
    found = []
    for _ in range(repeats):
        start = time.process_time()
        run()
        found.append(time.process_time() - start)
    return min(found)


def plain(of: ImageFilter, volume: Array) -> float:
    """Return the time of the same response by plain means, seconds."""
    reach = of.reach(PHANTOM_SPACING)
    if reach is None:
        return _transforms(of, volume)
    if isinstance(of, Gabor):
        kernel = of.kernel(of.theta, (PHANTOM_SPACING[1], PHANTOM_SPACING[2]))
        directions: int = 1 if of.theta_step is None else round(2 * pi / of.theta_step)
        planes = 1 if of.planes == Planes.AXIAL else 3
        real, imaginary = (_convolved(volume, part[None], of.boundary) for part in (kernel.real, kernel.imag))
        return directions * planes * (real + imaginary)
    single, extra, rotations = of, 0.0, 1
    if isinstance(of, Laws | Wavelet):
        rotations = ROTATIONS[of.ndim] if of.pooling != Pooling.NONE else 1
        single = dataclasses.replace(of, pooling=Pooling.NONE)
    if isinstance(single, Laws) and single.energy_radius is not None:
        side = 2 * single.energy_radius + 1
        box = np.full((side if of.ndim == 3 else 1, side, side), 1.0 / side**of.ndim)
        extra = _convolved(volume, box, of.boundary)
        single = dataclasses.replace(single, energy_radius=None)
    around = single.reach(PHANTOM_SPACING)
    assert around is not None  # noqa: S101  # it has one, as the pooled filter does
    impulse = np.zeros([2 * r + 1 for r in around])
    impulse[around] = 1.0
    return rotations * _convolved(volume, single.apply(impulse, PHANTOM_SPACING), of.boundary) + extra


def _convolved(volume: Array, kernel: npt.NDArray[np.floating], boundary: Boundary) -> float:
    from scipy import ndimage

    part = volume[:SLICES]
    taken = seconds(lambda: ndimage.convolve(part, kernel, mode=MODES[boundary]), 1)
    slabs: float = volume.shape[0] / part.shape[0]
    return taken * slabs


def _transforms(of: ImageFilter, volume: Array) -> float:
    margin = 0 if of.boundary == Boundary.PERIODIC else MARGIN
    wide = np.pad(volume, margin)
    transfer = stream(0, "benchmark filters").normal(size=wide.shape)
    return seconds(lambda: np.fft.ifftn(np.fft.fftn(wide) * transfer).real, 3)


def timed(case: Map, repeats: int) -> dict[str, float]:
    """Return the times of one map, milliseconds."""
    volume = phantom(case.phantom)
    single = volume.astype(np.float32)
    noise = stream(0, "benchmark filters").normal(size=volume.shape)
    times = {
        "float64_ms": seconds(lambda: case.filter.apply(volume, PHANTOM_SPACING), repeats),
        "float32_ms": seconds(lambda: case.filter.apply(single, PHANTOM_SPACING), repeats),
        "plain_ms": plain(case.filter, noise),
    }
    return {name: round(1000 * value, 3) for name, value in times.items()}


def main() -> None:
    """Time every map."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--only", nargs="*", help="maps by name; all if not given")
    parser.add_argument("--name", default="speed-filters")
    wanted = parser.parse_args()
    found = {}
    for case in MAPS:
        if wanted.only and case.name not in wanted.only:
            continue
        found[case.name] = timed(case, wanted.repeats)
        print(case.name, found[case.name], flush=True)
    command = f"python -m benchmarks.speed.filters --repeats {wanted.repeats}"
    write_result(wanted.name, {**provenance(command), "maps": found})


if __name__ == "__main__":
    main()
