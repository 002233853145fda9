"""Peak memory with ten times the pictures: training and prediction of a generated folder, each in its own process."""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.record import TOP, provenance, write_result
from benchmarks.speed.cases import picture

MOST = 1.3
CHILD = """
import sys
from pathlib import Path
verb, source, out = sys.argv[1], sys.argv[2], Path(sys.argv[3])
if verb == "train":
    from hounsfield.workflow.training import train
    from hounsfield.workflow.wishes import Wishes
    train(source, out=out, wishes=Wishes(max_steps=int(sys.argv[4]), threads=1))
else:
    import hounsfield as hf
    for _ in hf.predict(out, [source], out=out.parent / f"{out.name}-predicted"):
        pass
"""


def folder_of(path: Path, count: int, size: int) -> Path:
    """Write a folder of PNGs in two class folders and return it.

    Parameters
    ----------
    path : Path
    count : int
        Pictures.
    size : int
        Edge, pixels.

    Notes
    -----
    Every picture is different: repeats would be joined as duplicates, and cost memory of their own.
    """
    from PIL import Image

    for number in range(count):
        sick = number % 2 == 1
        place = path / ("sick" if sick else "healthy")
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(number, size, sick=sick)).save(place / f"{number:06d}.png", compress_level=1)
    return path


def peak_mib(*words: str) -> float:
    """Run Python in a process of its own and return its peak resident memory, children that it waited for apart.

    Parameters
    ----------
    *words : str
        Arguments.

    Raises
    ------
    RuntimeError
        If it fails.
    """
    process = subprocess.Popen([sys.executable, "-c", CHILD, *words], cwd=TOP)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{words[0]} ended with {process.returncode}; its error stands above")
    return used.ru_maxrss / 1024


def measured(work: Path, count: int, *, size: int, steps: int) -> dict[str, float]:
    """Return the peaks of training on a folder and of predicting it.

    Parameters
    ----------
    work : Path
    count : int
    size : int
    steps : int
        Of training.
    """
    source = folder_of(work / f"pictures-{count}", count, size)
    run = work / f"run-{count}"
    found = {"train": peak_mib("train", str(source), str(run), str(steps))}
    return found | {"predict": peak_mib("predict", str(source), str(run))}


def main() -> None:
    """Measure a small and a large folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counts", nargs=2, type=int, default=[2_000, 20_000])
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--name", default="speed-memory")
    wanted = parser.parse_args()
    few, many = wanted.counts
    with TemporaryDirectory(prefix="hounsfield-bench-") as place:
        peaks = {str(n): measured(Path(place), n, size=wanted.size, steps=wanted.steps) for n in (few, many)}
    ratios = {verb: peaks[str(many)][verb] / peaks[str(few)][verb] for verb in ("train", "predict")}
    print(f"ratios {ratios}", flush=True)
    command = f"python -m benchmarks.speed.memory --counts {few} {many} --size {wanted.size} --steps {wanted.steps}"
    result = {"peak_mib": peaks, "ratio": ratios, "wanted_at_most": MOST, "met": max(ratios.values()) <= MOST}
    write_result(wanted.name, {**provenance(command), **result})


if __name__ == "__main__":
    main()
