"""A large volume marked window by window, beside MONAI's inferer: voxels a second, peak memory, agreement.

Both have the same network, weights, windows, overlap and Gaussian weights, no flips; ours runs in the engine that is
shipped, MONAI's in PyTorch float32. Each runs in a process of its own.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.record import TOP, provenance, write_result
from hounsfield.bundle.sealed import Member
from hounsfield.core.types import AnyArray, Float32Array, Json

SIZE = (200, 512, 512)
PATCH = (64, 64, 64)
OVERLAP = 0.5


def volume(size: tuple[int, int, int]) -> Float32Array:
    """Return a synthetic CT, about unit deviation: an elliptic body with bright balls and noise."""
    rng = np.random.default_rng(0)
    z, y, x = (np.linspace(-1, 1, n, dtype=np.float32) for n in size)
    body = (y[:, None] ** 2 / 0.5 + x[None] ** 2 / 0.8) < 1
    found = np.where(body, 0.0, -2.0)[None].repeat(size[0], axis=0).astype(np.float32)
    for centre in rng.uniform(-0.5, 0.5, (12, 3)):
        near = [np.abs(axis - c) < 0.12 for axis, c in zip((z, y, x), centre, strict=True)]
        box = np.ix_(*(np.flatnonzero(n) for n in near))
        found[box] += 1.5
    found += 0.2 * rng.standard_normal(size, dtype=np.float32)
    return found


def make_bundle(folder: Path) -> None:
    """Fit the network for a few steps on crops of the volume and keep weights and job."""
    from hounsfield.bundle.tensors import encode_arrays
    from hounsfield.core.structures import Structures
    from hounsfield.learn.augment.spec import AugmentSpec
    from hounsfield.learn.dense.cases import DenseFeed, Prepared, fill_cases
    from hounsfield.learn.dense.job import INPUT, DenseJob, Patches, dense_json
    from hounsfield.learn.dense.learner import DENSE
    from hounsfield.learn.dense.preparing import DensePreparation
    from hounsfield.learn.loop import Optimisation, Watch
    from hounsfield.learn.nn.spec import InputShape, NetworkSpec

    whole = volume((96, 128, 128))
    labels = np.stack([whole > 0.75, np.ones_like(whole, dtype=np.bool_)]).astype(np.uint8)
    cases = fill_cases(folder, "one", [Prepared(whole[None], labels)], seed=0, layouts=(1, 0))
    rows = np.zeros(1, dtype=np.int64)
    job = DenseJob(
        seed=0,
        network=NetworkSpec(
            family="unet",
            inputs={INPUT: InputShape(channels=1, ndim=3, size=PATCH)},
            heads={"mask": 1},
            options={"width": 16, "depths": [1, 1, 1, 1, 1], "max_width": 160, "deep": 0},
        ),
        preparation=DensePreparation(ndim=3, channels={"image": 1}),
        structures={"mask": Structures(classes=("mask",), layout="one")},
        patches=Patches(size=list(PATCH), marked=0.5),
        augmentation=AugmentSpec(),
        optimisation=Optimisation(steps=40, batch=2, learning_rate=3e-3, precision="bfloat16", plain_norms=True),
    )
    state = DENSE.fit(DenseFeed(cases, rows, rows[:0], rows), job, watch=Watch())
    (folder / "member.safetensors").write_bytes(encode_arrays(dict(state.arrays), dense_json(job, None)))


def kept(folder: Path, size: tuple[int, int, int]) -> None:
    """Write the volume, float16, so that what making it takes is in nobody's peak."""
    np.save(folder / "volume.npy", volume(size).astype(np.float16))


def ours(folder: Path, threads: int) -> tuple[AnyArray, float]:
    """Mark the volume our way; return the mask and the seconds."""
    from hounsfield.learn.dense.model import DenseRunner
    from hounsfield.learn.dense.running import best_engine
    from hounsfield.learn.dense.window import Windows
    from hounsfield.learn.threads import settle_threads
    from hounsfield.workflow.machine import machine

    settle_threads(threads)
    runner = DenseRunner(
        [_member(folder)], windows=Windows(PATCH, OVERLAP, 0.125), engine=best_engine(bfloat16=machine().bfloat16)
    )
    image = np.load(folder / "volume.npy")[None]
    runner.dense(image[:, :64, :64, :64])
    began = time.perf_counter()
    found = runner.dense(image)["mask"]
    return found[0] >= np.float16(0.5), time.perf_counter() - began


def theirs(folder: Path, threads: int) -> tuple[AnyArray, float]:
    """Mark the volume with MONAI's inferer in PyTorch float32; return the mask and the seconds."""
    import torch
    from monai.inferers.inferer import SlidingWindowInferer

    from hounsfield.learn.dense.job import INPUT
    from hounsfield.learn.dense.learner import DENSE
    from hounsfield.learn.dense.running import dense_job
    from hounsfield.learn.learners.protocol import State

    torch.set_num_threads(threads)
    member = _member(folder)
    network = DENSE.module(State(member.arrays, None), dense_job(member))
    inferer = SlidingWindowInferer(PATCH, sw_batch_size=1, overlap=OVERLAP, mode="gaussian", sigma_scale=0.125)
    image = torch.from_numpy(np.load(folder / "volume.npy").astype(np.float32))[None, None]
    with torch.inference_mode():
        began = time.perf_counter()
        said = inferer(image, lambda window: network({INPUT: window}, {})["mask"])
        if not isinstance(said, torch.Tensor):
            raise TypeError("the inferer gave no tensor")
        mask = (said[0, 0] >= 0).numpy()
    return mask, time.perf_counter() - began


def _member(folder: Path) -> Member:
    from hounsfield.bundle.tensors import decode_arrays

    arrays, meta = decode_arrays((folder / "member.safetensors").read_bytes(), "member.safetensors")
    return Member("dense", arrays, meta)


def child(side: str, folder: Path, threads: int) -> None:
    """Run one side in this process, keep its mask and say what it took."""
    mask, seconds = (ours if side == "ours" else theirs)(folder, threads)
    np.save(folder / f"{side}.npy", np.packbits(np.asarray(mask, dtype=np.bool_)))
    print(json.dumps({"seconds": seconds, "peak_mib": own_peak_mib(), "marked": int(mask.sum())}))


def own_peak_mib() -> float:
    """Return the peak memory of this process alone: what `getrusage` says begins with the parent's."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return float(line.split()[1]) / 1024.0
    raise OSError("this system does not tell the peak memory of a process")


def main() -> None:
    """Run both sides and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, nargs=3, default=SIZE)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--child", nargs=2, default=None, help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    size = (wanted.size[0], wanted.size[1], wanted.size[2])
    if wanted.child:
        child(wanted.child[0], Path(wanted.child[1]), wanted.threads)
        return
    with TemporaryDirectory(prefix="hounsfield-") as made:
        folder = Path(made)
        make_bundle(folder)
        kept(folder, size)
        told: dict[str, dict[str, float]] = {}
        for side in ("ours", "theirs"):
            words = ["--child", side, made, "--threads", str(wanted.threads)]
            done = subprocess.run(  # our own interpreter and module
                [sys.executable, "-m", "benchmarks.speed.windows", *words],
                cwd=TOP,
                capture_output=True,
                text=True,
                check=True,
            )
            told[side] = json.loads(done.stdout.strip().splitlines()[-1])
        masks = [np.unpackbits(np.load(folder / f"{side}.npy"))[: int(np.prod(size))] for side in ("ours", "theirs")]
    both = int((masks[0] & masks[1]).sum())
    dice = 2.0 * both / max(1, int(masks[0].sum()) + int(masks[1].sum()))
    voxels = float(np.prod(size))
    result: dict[str, Json] = {
        "size": list(size),
        "patch": list(PATCH),
        "overlap": OVERLAP,
        "threads": wanted.threads,
        "ours_voxels_per_second": voxels / told["ours"]["seconds"],
        "theirs_voxels_per_second": voxels / told["theirs"]["seconds"],
        "times_as_fast": told["theirs"]["seconds"] / told["ours"]["seconds"],
        "peak_share": told["ours"]["peak_mib"] / told["theirs"]["peak_mib"],
        "dice_between": dice,
        "must": {"times_as_fast": 5.0, "peak_share": 0.5, "dice_between": 0.995},
        "sides": {side: dict(found) for side, found in told.items()},
    }
    print(json.dumps(result, indent=1))
    write_result("speed-windows", {**provenance("python -m benchmarks.speed.windows"), **result})


if __name__ == "__main__":
    main()
