"""Radiomics against PyRadiomics: one thread on both sides, warm, in turns, on the same voxels and features.

Three comparisons: of the features that both define, those alone on both sides; of PyRadiomics' 107 with all features of
the same families here, of which there are more; and of its 107 with the whole set of the IBSI, which it has not.

PyRadiomics lives in an environment of its own (it wants an older NumPy interface than this package):

    python -m venv pyradiomics && pyradiomics/bin/pip install "setuptools<80" numpy versioneer six pykwalify \
        PyWavelets SimpleITK && pyradiomics/bin/pip install --no-build-isolation --no-deps pyradiomics==3.0.1
    python -m benchmarks.speed.radiomics --pyradiomics pyradiomics/bin/python
"""

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import IO, cast

import numpy as np

from benchmarks.record import data_root, provenance, write_result
from benchmarks.speed.radiomics_names import NAMES, WHY
from hounsfield.core.cohort import Cohort, Ref, Schema
from hounsfield.core.image import Grid, Image
from hounsfield.core.types import AnyArray
from hounsfield.data.readers import read
from hounsfield.data.volume.nifti_writing import write_nifti
from hounsfield.science.radiomics.settings import FAMILIES, Discretisation, Resegmentation, Settings

WANTED_RATIO, AIMED_RATIO = 3.0, 10.0
ALIKE = 1e-6
BIN_WIDTH = 25.0
WORDS = ("image", "mask")
SHARED = ("morph", "stat", "ih", "cm", "rlm", "szm", "ngt", "ngl")
"""Families of both; those here have more features (hull, boxes, ellipsoids, histogram)."""

CHILD = """
import json, logging, os, sys, time
os.environ["OMP_NUM_THREADS"] = "1"
import numpy as np, SimpleITK as sitk
from radiomics import featureextractor, setVerbosity
setVerbosity(60)
logging.disable(logging.CRITICAL)
sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
held = np.load(sys.argv[1])
image, mask = sitk.GetImageFromArray(held["image"]), sitk.GetImageFromArray(held["mask"].astype(np.uint8))
for made in (image, mask):
    made.SetSpacing([float(s) for s in held["spacing"][::-1]])
made = {}
def extractor(names):
    key = tuple(names or ())
    if key not in made:
        made[key] = featureextractor.RadiomicsFeatureExtractor(binWidth=float(sys.argv[2]), additionalInfo=False)
        if names:
            asked = {}
            for name in names:
                asked.setdefault(name.split("_")[0], []).append(name.split("_")[1])
            made[key].disableAllFeatures()
            made[key].enableFeaturesByName(**asked)
    return made[key]
for line in sys.stdin:
    told = json.loads(line)
    used = extractor(told["names"])
    begun = time.perf_counter()
    for _ in range(told["times"]):
        found = used.execute(image, mask)
    took = time.perf_counter() - begun
    values = {k.removeprefix("original_"): float(v) for k, v in found.items()}
    print(json.dumps({"seconds": took, "values": values}), flush=True)
"""
COLD = """
import sys, time
begun = time.perf_counter()
import numpy as np
import hounsfield
held = np.load(sys.argv[1])
hounsfield.measure(held["image"], held["mask"], spacing_mm=held["spacing"])
print(time.perf_counter() - begun)
"""


LARGE = """
import resource, sys, threading, time
import numpy as np
from hounsfield.science.radiomics.extraction import features
from hounsfield.science.radiomics.labels import marked
from hounsfield.science.radiomics.region import Scene, process
from hounsfield.science.radiomics.settings import Discretisation, Settings
def memory():
    with open("/proc/self/status") as told:
        return next(int(l.split()[1]) * 1024 for l in told if l.startswith("VmRSS"))
most = [0]
def watch():
    while True:
        most[0] = max(most[0], memory())
        time.sleep(0.002)
def measured(edge, slow):
    n = np.arange(edge) - (edge - 1) / 2
    far = n[:, None, None] ** 2 + n[None, :, None] ** 2 + n[None, None, :] ** 2
    mask = (far <= (edge / 2) ** 2).astype(np.uint8)
    del far
    image = np.random.default_rng(0).integers(-100, 200, mask.shape, dtype=np.int16)
    settings = Settings(discretisation=Discretisation(method="width", width=25.0), slow=slow,
                        families=("morph",) if slow else Settings().families)
    outline = marked(mask, parts=False)[0].outline
    before = most[0] = memory()
    begun = time.perf_counter()
    features(process(Scene(image, (1.0, 1.0, 1.0)), outline, settings), settings)
    return {"box_voxels": mask.size, "region_voxels": int(mask.sum()), "seconds": time.perf_counter() - begun,
            "bytes_more": most[0] - before, "bytes_per_box_voxel": (most[0] - before) / mask.size}
import json
measured(20, True), measured(20, False)
threading.Thread(target=watch, daemon=True).start()
print(json.dumps([{"slow": s, **measured(int(e), s)} for s in (False, True) for e in sys.argv[1:]]))
"""


@dataclass(frozen=True)
class Case:
    """A region to be measured.

    Parameters
    ----------
    name : str
    image, mask : numpy.ndarray
        ``z y x``.
    spacing_mm : tuple of float
        Along z, y, x.
    """

    name: str
    image: AnyArray = field(repr=False)
    mask: AnyArray = field(repr=False)
    spacing_mm: tuple[float, float, float]


def _read(folder: Path, name: str) -> tuple[AnyArray, tuple[float, float, float]]:
    held = Cohort(name="", root=str(folder), samples=(), schema=Schema(targets=(), layout=""))
    image = read(held, Ref("nifti", name))
    spacing = image.grid.spacing_mm[::-1] if image.grid is not None else (1.0, 1.0, 1.0)
    return image.array[0], spacing


def ct_phantom(root: Path) -> Case:
    """Return the lung tumour of the IBSI on cubes of 2 mm."""
    from hounsfield.science.radiomics.interpolation import axes_of, interpolate, interpolate_mask
    from hounsfield.science.radiomics.settings import Interpolation

    image, spacing = _read(root / "ibsi" / "ibsi1_ct_phantom", "image.nii.gz")
    mask, _ = _read(root / "ibsi" / "ibsi1_ct_phantom", "mask.nii.gz")
    axes = axes_of(image.shape, spacing, Interpolation(spacing_mm=(2.0, 2.0, 2.0)))
    moved = np.rint(interpolate(image, axes, order=1)).astype(np.int16)
    return Case(
        "IBSI CT phantom, 2 mm",
        moved,
        interpolate_mask(np.asarray(mask != 0), axes, 0.5).astype(np.uint8),
        (2.0, 2.0, 2.0),
    )


def hippocampus(root: Path) -> Case:
    """Return the anterior part of the first hippocampus of the Medical Segmentation Decathlon."""
    folder = root / "msd-hippocampus"
    name = min(p.name for p in (folder / "imagesTr").glob("*.nii.gz"))
    image, spacing = _read(folder / "imagesTr", name)
    mask, _ = _read(folder / "labelsTr", name)
    return Case("hippocampus region", image, np.asarray(mask == 1).astype(np.uint8), spacing)


def settings_for(
    case: Case, families: tuple[str, ...] = SHARED, *, features: tuple[str, ...] = (), whole: bool = False
) -> Settings:
    """Return settings that discretise as PyRadiomics does: bins begin at a multiple of their width."""
    lowest = math.floor(float(case.image[case.mask != 0].min()) / BIN_WIDTH) * BIN_WIDTH
    return Settings.model_validate(
        {
            "name": "benchmark",
            "dimensions": "both" if whole else "3D",
            "families": families,
            "features": features,
            "discretisation": Discretisation(method="width", width=BIN_WIDTH),
            "resegmentation": Resegmentation(lowest=lowest),
            "slow": False,
        }
    )


def ours(case: Case, settings: Settings) -> Callable[[], dict[str, float]]:
    """Return a call that measures a region from its voxels in memory, mask to features."""
    from hounsfield.science.radiomics.extraction import features
    from hounsfield.science.radiomics.labels import marked
    from hounsfield.science.radiomics.region import Scene, process

    def measured() -> dict[str, float]:
        outline = marked(case.mask, parts=False)[0].outline
        values, _ = features(process(Scene(case.image, case.spacing_mm), outline, settings), settings)
        return values

    return measured


class Theirs:
    """PyRadiomics in a process of its own, asked for one measurement at a time."""

    def __init__(self, python: str, case: Case, stack: ExitStack) -> None:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        np.savez(folder / "case.npz", image=case.image, mask=case.mask, spacing=np.array(case.spacing_mm))
        self.process = stack.enter_context(
            subprocess.Popen(
                [python, "-c", CHILD, str(folder / "case.npz"), str(BIN_WIDTH)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        )

    def __call__(self, times: int, names: list[str] | None = None) -> tuple[float, dict[str, float]]:
        """Measure so many times, all features or those named; return the seconds that it took and the values."""
        stdin, stdout = cast("IO[str]", self.process.stdin), cast("IO[str]", self.process.stdout)
        stdin.write(json.dumps({"times": times, "names": names}) + "\n")
        stdin.flush()
        told = json.loads(stdout.readline())
        return told["seconds"], told["values"]


def compared(case: Case, python: str, *, rounds: int) -> dict[str, object]:
    """Time both in turns, and compare what they give."""
    with ExitStack() as stack:
        theirs = Theirs(python, case, stack)
        stack.callback(lambda: cast("IO[str]", theirs.process.stdin).close())
        _, other = theirs(1)
        same = [name for name in other if name in NAMES]
        calls = {
            "ours_same": ours(case, settings_for(case, features=tuple(NAMES[name] for name in same))),
            "ours_families": ours(case, settings_for(case)),
            "ours_whole": ours(case, settings_for(case, FAMILIES, whole=True)),
        }
        values = {name: call() for name, call in calls.items()}
        theirs(1, same)
        # blocks of about as long on both sides, so that a disturbance meets them alike
        once, _ = theirs(1)
        repeats = max(1, round(0.3 / max(once, 1e-4)))
        seconds: dict[str, list[float]] = {name: [] for name in ("pyradiomics", "pyradiomics_same", *calls)}
        for _ in range(rounds):
            seconds["pyradiomics"].append(theirs(repeats)[0] / repeats)
            seconds["pyradiomics_same"].append(theirs(repeats, same)[0] / repeats)
            for name, call in calls.items():
                begun = time.perf_counter()
                for _ in range(3 * repeats):
                    call()
                seconds[name].append((time.perf_counter() - begun) / (3 * repeats))
    middle = {name: median(found) for name, found in seconds.items()}
    return {
        "case": case.name,
        "voxels": int(case.mask.sum()),
        "box": int(np.prod([np.ptp(c) + 1 for c in np.nonzero(case.mask)])),
        "seconds": {name: round(value, 6) for name, value in middle.items()},
        "best": {name: round(min(found), 6) for name, found in seconds.items()},
        "ratio": round(middle["pyradiomics_same"] / middle["ours_same"], 2),
        "ratio_families": round(middle["pyradiomics"] / middle["ours_families"], 2),
        "ratio_whole_set": round(middle["pyradiomics"] / middle["ours_whole"], 2),
        "features": {
            "same": len(same),
            "pyradiomics": len(other),
            **{name: len(found) for name, found in values.items()},
        },
        **agreement(values["ours_same"], other),
    }


def agreement(values: dict[str, float], other: dict[str, float]) -> dict[str, object]:
    """Compare features of the same name and say which are not alike."""
    alike, apart, without = [], {}, []
    for name, theirs in other.items():
        tag = NAMES.get(name)
        if tag is None:
            without.append(name)
            continue
        mine = values[tag] + (3.0 if name == "firstorder_Kurtosis" else 0.0)
        far = abs(mine - theirs) / max(abs(theirs), abs(mine), 1e-12)
        if far <= ALIKE:
            alike.append(name)
        else:
            apart[name] = {"ours": mine, "pyradiomics": theirs, "why": WHY.get(name, "")}
    return {"alike_to_1e-6": len(alike), "not_alike": apart, "not_in_ibsi": without}


def starts(case: Case) -> dict[str, float]:
    """Return how long a new process takes for its first region: with nothing compiled, and after that.

    Notes
    -----
    ``cold_seconds`` and ``second_start_seconds`` are of `hounsfield.measure` on arrays, imports included, without the
    interpreter's own start; those of the command are of the whole process of ``hu measure IMAGE MASK --out TABLE``.
    Python's own bytecode is there from the beginning, as it is once a package was installed; several starts are told
    of by their median. Where other programs run, the processor's seconds are to be looked at, not those of the clock.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.savez(folder / "case.npz", image=case.image, mask=case.mask, spacing=np.array(case.spacing_mm))
        z, y, x = case.spacing_mm
        for what, array in zip(WORDS, (case.image, case.mask), strict=True):
            write_nifti(folder / f"{what}.nii.gz", Image(array[None], Grid(np.diag([x, y, z, 1.0]))))
        arrays = [sys.executable, "-c", COLD, str(folder / "case.npz")]
        command = [sys.executable, "-m", "hounsfield.cli", "measure", *(str(folder / f"{w}.nii.gz") for w in WORDS)]
        _started(arrays, folder, compiled="before")
        found = {"cold_seconds": _started(arrays, folder)[0]}
        again = [_started(arrays, folder)[0] for _ in range(3)]
        told = [_started([*command, "--out", str(folder / f"{n}.parquet")], folder) for n in range(6)]
        found |= {
            "second_start_seconds": median(again),
            # the first one compiles what files need beyond arrays
            "command_second_start_seconds": median(wall for _, wall, _ in told[1:]),
            "command_second_start_processor_seconds": median(processor for _, _, processor in told[1:]),
        }
    return {key: round(value, 2) for key, value in found.items()}


def _started(command: list[str], folder: Path, *, compiled: str = "cache") -> tuple[float, float, float]:
    """Run a command to its end; return the seconds that it prints (0 if none), those of the clock, of the processor."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    places = {"NUMBA_CACHE_DIR": str(folder / compiled), "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        command,
        env=kept | places,
        capture_output=True,
        text=True,
        check=True,
    )
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    try:
        return float(done.stdout), wall, processor
    except ValueError:
        return 0.0, wall, processor


def large(edges: tuple[int, ...]) -> list[dict[str, float]]:
    """Return time and memory of balls in boxes of these edges: all but the autocorrelations, and shape with them."""
    done = subprocess.run([sys.executable, "-c", LARGE, *map(str, edges)], capture_output=True, text=True, check=True)
    found: list[dict[str, float]] = json.loads(done.stdout)
    return [{k: round(v, 3) for k, v in one.items()} for one in found]


def many(count: int) -> dict[str, float]:
    """Return how long one call takes for a label map of so many small regions."""
    import hounsfield

    side = round(count ** (1 / 3))
    labels: AnyArray = np.zeros((8 * side,) * 3, dtype=np.int32)
    for n in range(side**3):
        z, y, x = (8 * int(c) + 1 for c in np.unravel_index(n, (side,) * 3))
        labels[z : z + 5, y : y + 6, x : x + 6] = n + 1
    image: AnyArray = np.random.default_rng(0).integers(-100, 200, labels.shape, dtype=np.int16)
    begun = time.perf_counter()
    found = hounsfield.measure(image, labels, spacing_mm=(1.0, 1.0, 1.0))
    return {"regions": len(found.rows), "seconds": round(time.perf_counter() - begun, 2)}


def main() -> None:
    """Time both sides and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pyradiomics", required=True, help="Python of the environment with pyradiomics 3.0.1")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--edges", type=int, nargs="*", default=[54, 100, 216], help="boxes for time and memory")
    parser.add_argument("--name", default="speed-radiomics")
    given = parser.parse_args()
    cases = [ct_phantom(data_root()), hippocampus(data_root())]
    found = [compared(case, given.pyradiomics, rounds=given.rounds) for case in cases]
    for one in found:
        told = ", ".join(f"{name} {one[f'ratio{name}']} times" for name in ("", "_families", "_whole_set"))
        print(f"{one['case']}: {one['seconds']}, {told}")
    result = {
        **provenance("python -m benchmarks.speed.radiomics --pyradiomics PYTHON"),
        "wanted_ratio": WANTED_RATIO,
        "aimed_ratio": AIMED_RATIO,
        "cases": found,
        "start": starts(cases[1]),
        "many": many(1000),
        "large": large(tuple(given.edges)),
    }
    write_result(given.name, result)


if __name__ == "__main__":
    main()
