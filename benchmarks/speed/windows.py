"""A large CT marked window by window, beside MONAI's inferer: voxels a second, peak memory, agreement.

Every side has the same file, network, weights, windows, overlap and Gaussian weights, no flips, and ends with a mask of
the file's size. Ours is the road of ``hu predict``, from the file on: intensities, windows, mask. MONAI's
SlidingWindowInferer runs PyTorch float32, with the number of windows in a batch and the order of memory that are the
fastest on a smaller volume. Each side runs in a process of its own, which says what it took:

- ``seconds``: ours from opening the file to the mask, MONAI's from the prepared tensor to the mask; its reading and
  preparing are in ``ready_seconds``, those of ours in ``seconds`` already.
- ``opening_seconds``: making the network ready, once per process. For ours that is compiling.
- ``peak_mib``: of the process. ``imported_mib``: what it held once its libraries were imported.

The air is as noisy as the body, so that no window shows one value only: such windows would be run once.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import numpy as np

from benchmarks.record import TOP, provenance, write_result
from hounsfield.bundle.sealed import Member
from hounsfield.core.types import AnyArray, BoolArray, Json

SIZE = (200, 512, 512)
TRIED = (96, 192, 192)
"""Size on which MONAI's settings are chosen."""
PATCH = (64, 64, 64)
OVERLAP = 0.5
SIDES = ("ours", "ours-float32", "theirs", "theirs-buffered")
BATCHES = (1, 2, 4)
ORDERS = ("plain", "channels-last")


def volume(size: tuple[int, int, int]) -> tuple[AnyArray, BoolArray]:
    """Return a synthetic CT, int16 HU ``z y x``: a body with bright balls, noise everywhere; and the balls, bool."""
    rng = np.random.default_rng(0)
    z, y, x = (np.linspace(-1, 1, n, dtype=np.float32) for n in size)
    body = (y[:, None] ** 2 / 0.5 + x[None] ** 2 / 0.8) < 1
    centres = rng.uniform(-0.5, 0.5, (12, 3))
    ct, balls = np.empty(size, dtype=np.int16), np.zeros(size, dtype=np.bool_)
    for row, place in enumerate(z):
        plane = np.where(body, np.float32(40.0), np.float32(-1000.0))
        for centre in centres:
            balls[row] |= (place - centre[0]) ** 2 + (y[:, None] - centre[1]) ** 2 + (x - centre[2]) ** 2 < 0.12**2
        plane[balls[row]] = 900.0
        ct[row] = plane + 25.0 * rng.standard_normal(size[1:], dtype=np.float32)
    return ct, balls


def write_ct(path: Path, size: tuple[int, int, int]) -> None:
    """Write the volume as an unpacked NIfTI file, so that what making it takes is in nobody's peak."""
    from hounsfield.core.image import Grid, Image
    from hounsfield.data.volume.nifti_writing import write_nifti

    ct, balls = volume(size)
    write_nifti(path, Image(ct[None], Grid(np.diag([0.8, 0.8, 1.5, 1.0]))))
    np.save(path.with_suffix(".truth.npy"), np.packbits(balls))


def make_bundle(folder: Path) -> None:
    """Fit the network for a few steps on crops of a small volume of the same kind, and keep weights and job."""
    from hounsfield.bundle.tensors import encode_arrays
    from hounsfield.core.image import Image
    from hounsfield.core.structures import Structures
    from hounsfield.learn.augment.spec import AugmentSpec
    from hounsfield.learn.dense.case import prepare_images
    from hounsfield.learn.dense.cases import DenseFeed, Prepared, fill_cases
    from hounsfield.learn.dense.job import INPUT, DenseJob, Patches, dense_json
    from hounsfield.learn.dense.learner import DENSE
    from hounsfield.learn.dense.preparing import DensePreparation
    from hounsfield.learn.loop import Optimisation, Watch
    from hounsfield.learn.nn.spec import InputShape, NetworkSpec

    ct, balls = volume((96, 192, 192))
    preparation = DensePreparation(ndim=3, channels={"image": 1}, orientation="RAS")
    image = prepare_images({"image": Image(ct[None])}, preparation)
    labels = np.stack([balls, np.ones_like(balls)]).astype(np.uint8)
    cases = fill_cases(folder, "one", [Prepared(image, labels)], seed=0, layouts=(1, 0))
    rows = np.zeros(1, dtype=np.int64)
    job = DenseJob(
        seed=0,
        network=NetworkSpec(
            family="unet",
            inputs={INPUT: InputShape(channels=1, ndim=3, size=PATCH)},
            heads={"mask": 1},
            options={"width": 16, "depths": [1, 1, 1, 1, 1], "max_width": 160, "deep": 0},
        ),
        preparation=preparation,
        structures={"mask": Structures(classes=("mask",), layout="one")},
        patches=Patches(size=list(PATCH), marked=0.5),
        augmentation=AugmentSpec(),
        optimisation=Optimisation(steps=240, batch=2, learning_rate=3e-3, precision="bfloat16", plain_norms=True),
    )
    state = DENSE.fit(DenseFeed(cases, rows, rows[:0], rows), job, watch=Watch())
    (folder / "member.safetensors").write_bytes(encode_arrays(dict(state.arrays), dense_json(job, None)))


def ours(folder: Path, name: str, threads: int, engine: str) -> tuple[AnyArray, dict[str, float | str]]:
    """Mark the file our way; return the mask and what it took."""
    from hounsfield.core.cohort import Ref
    from hounsfield.data.volume.nifti import NiftiReader
    from hounsfield.learn.dense.model import DenseRunner
    from hounsfield.learn.dense.running import best_engine
    from hounsfield.learn.dense.window import Windows
    from hounsfield.learn.threads import settle_threads
    from hounsfield.workflow.machine import machine

    settle_threads(threads)
    imported = now_mib("VmRSS")
    began = time.perf_counter()
    chosen = engine or best_engine(bfloat16=machine().bfloat16)
    runner = DenseRunner([_member(folder)], windows=Windows(PATCH, OVERLAP, 0.125), engine=chosen)
    runner.dense(np.zeros((1, *PATCH), dtype=np.float32))
    opened = time.perf_counter() - began
    began, used = time.perf_counter(), time.process_time()
    ref = Ref("nifti", name)
    image = NiftiReader().stored(folder, ref).image(ref)
    mask = runner.mark(runner.case({"image": image}), {"mask": [0.5]})["mask"][0]
    return mask, {
        "seconds": time.perf_counter() - began,
        "cpu_seconds": time.process_time() - used,
        "opening_seconds": opened,
        "ready_seconds": 0.0,
        "imported_mib": imported,
        "engine": chosen,
    }


def theirs(folder: Path, name: str, threads: int, setting: str) -> tuple[AnyArray, dict[str, float | str]]:
    """Mark the file with MONAI's inferer in PyTorch float32; return the mask and what it took."""
    import nibabel
    import torch
    from monai.inferers.inferer import SlidingWindowInferer

    from hounsfield.learn.dense.job import INPUT
    from hounsfield.learn.dense.learner import DENSE
    from hounsfield.learn.dense.running import dense_job
    from hounsfield.learn.learners.protocol import State

    torch.set_num_threads(threads)
    imported = now_mib("VmRSS")
    batch, order, *buffered = setting.split(",")
    began = time.perf_counter()
    member = _member(folder)
    network = DENSE.module(State(member.arrays, None), dense_job(member)).eval()
    kept = torch.channels_last_3d if order == "channels-last" else torch.contiguous_format
    setattr(network, "memory_format", kept)  # noqa: B010  # not an attribute of every module
    for weights in network.parameters():
        if weights.ndim == 5:
            weights.data = weights.data.contiguous(memory_format=kept)
    inferer = SlidingWindowInferer(
        PATCH,
        sw_batch_size=int(batch),
        overlap=OVERLAP,
        mode="gaussian",
        sigma_scale=0.125,
        device="cpu",
        buffer_steps=1 if buffered else None,
        buffer_dim=0,
    )

    def answer(window: torch.Tensor) -> torch.Tensor:
        return cast(torch.Tensor, network({INPUT: window}, {})["mask"])

    with torch.inference_mode():
        answer(torch.zeros(int(batch), 1, *PATCH))
        opened = time.perf_counter() - began
        began = time.perf_counter()
        # as lean as it can be: one float32 array, changed in place; z y x, as ours
        stored = nibabel.Nifti1Image.from_filename(folder / name)
        values = np.asarray(stored.dataobj, dtype=np.float32).transpose(2, 1, 0)
        values -= np.float32(values.mean(dtype=np.float64))
        values /= np.float32(np.sqrt(np.mean([np.square(plane).mean(dtype=np.float64) for plane in values])))
        np.clip(values, -8, 8, out=values)
        image = torch.from_numpy(np.ascontiguousarray(values))[None, None]
        del values
        ready = time.perf_counter() - began
        began, used = time.perf_counter(), time.process_time()
        said = inferer(image, answer)
        if not isinstance(said, torch.Tensor):
            raise TypeError("the inferer gave no tensor")
        mask = (said[0, 0] >= 0).numpy()
        taken = time.perf_counter() - began
    return mask, {
        "seconds": taken,
        "cpu_seconds": time.process_time() - used,
        "opening_seconds": opened,
        "ready_seconds": ready,
        "imported_mib": imported,
        "setting": setting,
    }


def _member(folder: Path) -> Member:
    from hounsfield.bundle.tensors import decode_arrays

    arrays, meta = decode_arrays((folder / "member.safetensors").read_bytes(), "member.safetensors")
    return Member("dense", arrays, meta)


def now_mib(key: str) -> float:
    """Return ``VmRSS`` or the peak ``VmHWM`` of this process alone: what `getrusage` says begins with the parent's."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{key}:"):
            return float(line.split()[1]) / 1024.0
    raise OSError("this system does not tell the memory of a process")


def child(words: Sequence[str], threads: int) -> None:
    """Run one side in this process, keep its mask and say what it took."""
    kind, setting, folder, name, kept = words
    run = ours if kind == "ours" else theirs
    mask, told = run(Path(folder), name, threads, setting)
    told["peak_mib"] = now_mib("VmHWM")  # before anything is done with the mask
    np.save(Path(folder) / f"{kept}.npy", np.packbits(np.asarray(mask, dtype=np.bool_)))
    print(json.dumps({**told, "marked": int(np.count_nonzero(mask))}))


class Bench:
    """Sides of one comparison, each in a process of its own."""

    def __init__(self, folder: Path, threads: int) -> None:
        self._folder = folder
        self._threads = threads

    def run(self, kind: str, setting: str, name: str, kept: str) -> dict[str, float | str]:
        """Return what a side took."""
        words = ["--child", kind, setting, str(self._folder), name, kept, "--threads", str(self._threads)]
        done = subprocess.run(  # our own interpreter and module
            [sys.executable, "-m", "benchmarks.speed.windows", *words],
            cwd=TOP,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        found: dict[str, float | str] = json.loads(done.stdout.strip().splitlines()[-1])
        print(f"{kept}: {json.dumps(found)}", flush=True)
        return found

    def settings(self) -> dict[str, float]:
        """Return the seconds that MONAI takes with each setting on the smaller volume."""
        found = {}
        for order in ORDERS:
            for batch in BATCHES:
                setting = f"{batch},{order}"
                found[setting] = float(self.run("theirs", setting, "small.nii", "tried")["seconds"])
        return found

    def mask(self, kept: str, count: int) -> BoolArray:
        """Return a mask that a side kept."""
        return np.asarray(np.unpackbits(np.load(self._folder / f"{kept}.npy"))[:count], dtype=np.bool_)


def dice(one: BoolArray, other: BoolArray) -> float:
    """Return the Dice of two masks."""
    return 2.0 * int((one & other).sum()) / max(1, int(one.sum()) + int(other.sum()))


def compared(bench: Bench, sides: Sequence[str], setting: str, size: tuple[int, int, int]) -> dict[str, Json]:
    """Run sides on the large volume; return what each took, and each beside MONAI's plain inferer."""
    voxels = int(np.prod(size))
    told: dict[str, dict[str, float | str]] = {}
    for side in sides:
        kind, _, way = side.partition("-")
        own = {"float32": "openvino", "buffered": f"{setting},buffered"}.get(way, "" if kind == "ours" else setting)
        told[side] = bench.run(kind, own, "ct.nii", side)
    truth = bench.mask("ct.truth", voxels)
    result: dict[str, Json] = {}
    for side, found in told.items():
        seconds = float(found["seconds"])
        mask = bench.mask(side, voxels)
        row: dict[str, Json] = {
            **found,
            "voxels_per_second": voxels / seconds,
            "dice_with_truth": dice(mask, truth),
        }
        if "theirs" in told and side != "theirs":
            base = told["theirs"]
            whole = [sum(float(t[n]) for n in ("seconds", "ready_seconds", "opening_seconds")) for t in (base, found)]
            row |= {
                "times_as_fast": float(base["seconds"]) / seconds,
                "times_as_fast_from_file_and_weights": whole[0] / whole[1],
                "peak_share": float(found["peak_mib"]) / float(base["peak_mib"]),
                "peak_share_beyond_imports": (float(found["peak_mib"]) - float(found["imported_mib"]))
                / (float(base["peak_mib"]) - float(base["imported_mib"])),
                "dice_between": dice(mask, bench.mask("theirs", voxels)),
            }
        result[side] = row
    return result


def main() -> None:
    """Choose MONAI's setting, run all sides and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, nargs=3, default=SIZE)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=SIDES)
    parser.add_argument("--setting", default="", help="MONAI's, as 1,channels-last; else the fastest is found")
    parser.add_argument("--child", nargs=5, default=None, help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.child:
        child(wanted.child, wanted.threads)
        return
    size = (wanted.size[0], wanted.size[1], wanted.size[2])
    with TemporaryDirectory(prefix="hounsfield-") as made:
        folder = Path(made)
        make_bundle(folder)
        write_ct(folder / "ct.nii", size)
        write_ct(folder / "small.nii", TRIED)
        bench = Bench(folder, wanted.threads)
        tried = {} if wanted.setting else bench.settings()
        setting = wanted.setting or min(tried, key=lambda s: tried[s])
        sides = compared(bench, wanted.sides, setting, size)
    result: dict[str, Json] = {
        "size": list(size),
        "patch": list(PATCH),
        "overlap": OVERLAP,
        "threads": wanted.threads,
        "load_before": os.getloadavg()[2],
        "theirs_tried_seconds": dict(tried),
        "theirs_setting": setting,
        "must": {"times_as_fast": 5.0, "peak_share": 0.5, "dice_between": 0.995},
        "sides": sides,
    }
    print(json.dumps(result, indent=1))
    own = size == SIZE and tuple(wanted.sides) == SIDES
    name = "speed-windows" if own else "speed-windows-trial"
    write_result(name, {**provenance("python -m benchmarks.speed.windows"), **result})


if __name__ == "__main__":
    main()
