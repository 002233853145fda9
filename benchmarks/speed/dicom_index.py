"""Indexing generated DICOM trees: files per second against a plain pydicom loop in the same run, and memory."""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.record import TOP, provenance, write_result

WANTED_RATIO = 2.0
MOST_MEMORY = 1.3
SLICES = 100
CHILD = """
import sys
from pathlib import Path
from hounsfield.data.dicom.index import index_tree
index = index_tree(Path(sys.argv[1]), cache=Path(sys.argv[2]) if len(sys.argv) > 2 else None)
print(len(index.entries))
"""


def tree_of(path: Path, count: int, size: int) -> Path:
    """Write small CT slices of several patients and return their folder.

    Parameters
    ----------
    path : Path
    count : int
        Files.
    size : int
        Edge, pixels.
    """
    from tests.data_room.dicom.making import dataset, save

    for number in range(count):
        series, place = divmod(number, SLICES)
        words = f"patient{series // 4:05d}/{series // 2}/{series}"
        # a header as scanners write it has some eighty elements more, most of them of no interest to an index
        extra = {
            "KVP": 120,
            "SoftwareVersions": "syngo 1",
            "DeviceSerialNumber": "1234",
            "ReferringPhysicianName": "Doe",
            "ExposureTime": 500,
            "XRayTubeCurrent": 200,
            "PatientPosition": "HFS",
            "WindowCenter": 40,
            "WindowWidth": 400,
        }
        made = dataset(words, extra, size=size, number=place)
        block = made.private_block(0x0029, "ACME CSA", create=True)
        for element in range(60):
            block.add_new(element, "LO", f"value {element}")
        block.add_new(0xF0, "OB", bytes(20_000))
        save(path / f"{series:05d}" / f"IM{place:05d}", made)
    return path


def pydicom_loop(root: Path) -> float:
    """Return the seconds that reading every header with pydicom takes."""
    import pydicom

    paths = sorted(p for p in root.rglob("*") if p.is_file())
    start = time.perf_counter()
    for path in paths:
        pydicom.dcmread(path, stop_before_pixels=True)
    return time.perf_counter() - start


def indexing(root: Path, cache: Path | None = None) -> float:
    """Return the seconds that indexing takes, with nothing known of the tree before but what `cache` holds."""
    from hounsfield.data.dicom import index

    index.forget()
    start = time.perf_counter()
    index.index_tree(root, cache=cache)
    return time.perf_counter() - start


def peak_mib(*words: str) -> float:
    """Return the peak resident memory of indexing in a process of its own.

    Raises
    ------
    RuntimeError
        If it fails.
    """
    process = subprocess.Popen([sys.executable, "-c", CHILD, *words], cwd=TOP, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"indexing ended with {process.returncode}; its error stands above")
    return used.ru_maxrss / 1024


def main() -> None:
    """Time and weigh a small and a large tree."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counts", nargs=2, type=int, default=[500, 5_000])
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--name", default="speed-dicom-index")
    wanted = parser.parse_args()
    few, many = wanted.counts
    with TemporaryDirectory(prefix="hounsfield-bench-") as folder:
        work = Path(folder)
        small, large = (tree_of(work / f"tree-{n}", n, wanted.size) for n in (few, many))
        theirs, ours = [], []
        for _ in range(wanted.repeats):  # in turns, so that both meet the machine in the same mood
            theirs.append(pydicom_loop(large))
            ours.append(indexing(large))
        cache = work / "index.sqlite"
        first, again = indexing(large, cache), indexing(large, cache)
        peaks = {str(n): peak_mib(str(t)) for n, t in ((few, small), (many, large))}
    seconds = {"pydicom": min(theirs), "index": min(ours), "index_into_cache": first, "index_from_cache": again}
    rates = {name: round(many / value, 1) for name, value in seconds.items()}
    ratio = rates["index"] / rates["pydicom"]
    growth = peaks[str(many)] / peaks[str(few)]
    print(f"files/s {rates}, ratio {ratio:.1f}, peak MiB {peaks}", flush=True)
    command = f"python -m benchmarks.speed.dicom_index --counts {few} {many} --size {wanted.size}"
    result = {
        "files": many,
        "files_per_second": rates,
        "ratio": round(ratio, 2),
        "wanted_ratio_at_least": WANTED_RATIO,
        "peak_mib": peaks,
        "memory_ratio": round(growth, 3),
        "wanted_memory_ratio_at_most": MOST_MEMORY,
        "met": ratio >= WANTED_RATIO and growth <= MOST_MEMORY,
    }
    write_result(wanted.name, {**provenance(command), **result})


if __name__ == "__main__":
    main()
