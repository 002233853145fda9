"""Twenty-four hours of ECG: beats found by their R peaks and classified by a model of beats, how long and in how much.

``python -m benchmarks.speed.day_of_ecg RUN`` tiles a record of mitbih_arrhythmia to a day, writes it once as WFDB
without annotations, and predicts it with the run of a model of beats, in a process of its own.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from benchmarks.record import RUNS, TOP, data_root, provenance, write_result
from benchmarks.signals.to_wfdb import GAIN, RATE_HZ, ZERO, Ints, packed_212, stored_samples

DAY_H = 24.0
MOST_S = 60.0
CHILD = """
import json, sys, time
from collections import Counter
bundle, record, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
began = time.perf_counter()
import hounsfield as hf
from hounsfield.data.signal.wfdb.reader import WfdbReader
windows, plain = [0, 0], WfdbReader.read

def read(self, cohort, ref, *, start=0, stop=None):
    found = plain(self, cohort, ref, start=start, stop=stop)
    windows[0], windows[1] = windows[0] + 1, max(windows[1], found.samples)
    return found

WfdbReader.read = read
imported = time.perf_counter()
beats, refused = Counter(), 0
for said in hf.predict(bundle, [record]):
    (target,) = said.targets.values() if said.targets else (None,)
    refused += bool(said.refusal)
    if target is not None and not said.refusal:
        beats[str(target.at_operating_point or target.value)] += 1
done = time.perf_counter()
print(json.dumps({
    "seconds": done - imported, "import_seconds": imported - began, "beats": dict(beats), "refused": refused,
    "windows": windows[0], "largest_window": windows[1],
}))
"""


def write_day(folder: Path, samples: Ints, hours: float) -> int:
    """Write a record of one lead over and over until it is so long, and return its samples; nothing if it is there.

    Parameters
    ----------
    folder : Path
    samples : numpy.ndarray
        ``t``, as stored.
    hours : float

    Notes
    -----
    Format 212 packs two samples in three bytes, so that an even piece can be written again and again.
    """
    even = samples[: len(samples) // 2 * 2]
    total = round(hours * 3600.0 * RATE_HZ) // 2 * 2
    signal, header = folder / "day.dat", folder / "day.hea"
    if header.exists() and signal.exists() and signal.stat().st_size == total * 3 // 2:
        return total
    folder.mkdir(parents=True, exist_ok=True)
    piece = packed_212(even)
    with signal.open("wb") as file:
        for _ in range(total // len(even)):
            file.write(piece)
        file.write(packed_212(even[: total % len(even)]))
    header.write_text(
        f"day 1 {RATE_HZ} {total}\nday.dat 212 {GAIN}({ZERO})/mV 11 {ZERO} {int(even[0])} 0 0 MLII\n", encoding="ascii"
    )
    return total


def measured(bundle: Path, record: Path, threads: int) -> dict[str, object]:
    """Predict a record in a process of its own and return what it said, with its peak memory.

    Parameters
    ----------
    bundle, record : Path
    threads : int
        That its libraries may use.

    Raises
    ------
    RuntimeError
        If it fails.
    """
    many = {name: str(threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(bundle), str(record), str(threads)],
        cwd=TOP,
        env={**os.environ, **many},
        stdout=subprocess.PIPE,
        text=True,
    )
    said = process.stdout.read() if process.stdout is not None else ""
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"the prediction ended with {process.returncode}; its error stands above")
    found: dict[str, object] = json.loads(said.splitlines()[-1])
    return {**found, "peak_mib": used.ru_maxrss / 1024.0, "processor_seconds": used.ru_utime + used.ru_stime}


def main() -> None:
    """Measure a day and an hour, and write both down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="run folder or bundle of a model of beats")
    parser.add_argument("--record", default="100")
    parser.add_argument("--hours", type=float, default=DAY_H)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--work", type=Path, default=RUNS / "day-of-ecg")
    asked = parser.parse_args()
    samples = np.asarray(stored_samples(data_root() / "mitbih_arrhythmia" / "records" / f"{asked.record}.npz"))
    result: dict[str, dict[str, object]] = {}
    for name, hours in (("hour", 1.0), ("day", asked.hours)):
        folder = asked.work / f"{asked.record}-{hours:g}h"
        total = write_day(folder, samples, hours)
        found = measured(asked.run, folder, asked.threads)
        mib = total * 4 / 2**20
        result[name] = {**found, "hours": hours, "samples": total, "as_float32_mib": mib}
        print(
            f"{name}: {found['seconds']:.1f} s ({found['processor_seconds']:.1f} s of processor time with what is "
            f"imported), {found['peak_mib']:.0f} MiB at most (the record would be {mib:.0f}), "
            f"largest window {found['largest_window']} of {total} samples, {found['beats']}",
            flush=True,
        )
    day = result["day"]
    kept = day["seconds"] < MOST_S if isinstance(day["seconds"], float) else False
    print(f"under {MOST_S:g} s: {'yes' if kept else 'no'}", flush=True)
    command = f"python -m benchmarks.speed.day_of_ecg RUN --record {asked.record} --threads {asked.threads}"
    if asked.hours == DAY_H:
        write_result("speed-day-of-ecg", {**provenance(command), "must_seconds": MOST_S, **result})


if __name__ == "__main__":
    main()
