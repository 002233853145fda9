"""Moran's I and Geary's C by size of the region: time against n log n, and peak memory, up to ten million voxels.

python -m benchmarks.speed.autocorrelation
"""

import resource
import time

import numpy as np

from benchmarks.record import provenance, write_result
from hounsfield.core.streams import stream
from hounsfield.science.radiomics.autocorrelation import autocorrelation

EDGES = (22, 46, 100, 215)
SPACING_MM = (1.0, 1.0, 1.0)


def main() -> None:
    """Measure cubes of noise, the small ones first: peak memory never falls."""
    warm = stream(0, "warm").normal(size=(8, 8, 8))
    autocorrelation(warm, np.ones(warm.shape, bool), SPACING_MM)
    rows = []
    for edge in EDGES:
        image = stream(0, "autocorrelation", edge).normal(size=(edge, edge, edge))
        began = time.process_time()
        autocorrelation(image, np.ones(image.shape, bool), SPACING_MM)
        took = time.process_time() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        voxels = edge**3
        rows.append({"voxels": voxels, "seconds": took, "peak_mib": peak, "allowed_mib": 32 * voxels / 2**20 + 200})
        step = 1e9 * took / (voxels * np.log2(voxels))
        print(f"{voxels:>9} voxels: {took:.2f} s, {step:.0f} ns per n log n, {peak:.0f} MiB")
    write_result("speed-autocorrelation", {**provenance("python -m benchmarks.speed.autocorrelation"), "rows": rows})


if __name__ == "__main__":
    main()
