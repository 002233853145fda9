"""R peaks against the annotations of MIT-BIH: the 44 records without a pacemaker, one lead, 150 ms, whole records.

``python -m benchmarks.accuracy.r_peaks`` writes the records as WFDB into a temporary folder, reads them with the
product's reader, and writes ``results/r-peaks.json``.
"""

import csv
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.record import data_root, provenance, write_result
from benchmarks.signals.to_wfdb import write_mitdb
from hounsfield.core.cohort import Cohort, Ref, Schema
from hounsfield.data.signal.readers import read_signal
from hounsfield.data.signal.wfdb.annotations import flutter, read_annotations
from hounsfield.science.physiology.beats import r_peaks
from hounsfield.science.physiology.matching import BEAT_SYMBOLS, BeatMatch, match_beats

MUST, AIM = 0.995, 0.998
DEVELOPED_ON = "DS1"
"""The half of the records that was looked at while rules and shares were chosen; the other half was run once."""
COMMAND = "python -m benchmarks.accuracy.r_peaks"


def record_match(cohort: Cohort, root: Path, name: str) -> tuple[BeatMatch, float, float]:
    """Return the counts of a record, the median distance to the annotation in ms, and the seconds it took."""
    signal = read_signal(cohort, Ref("wfdb", f"{name}.hea"))
    rate = signal.rate_hz or float("nan")
    began = time.perf_counter()
    found = r_peaks(signal.array, rate)
    seconds = time.perf_counter() - began
    marks = read_annotations(root / f"{name}.atr", rate_hz=rate)
    reference = np.array([a.sample for a in marks if a.symbol in BEAT_SYMBOLS])
    excluded = [(s.start, s.stop) for s in flutter(marks, signal.samples)]
    away = np.abs(found[np.searchsorted(found, reference).clip(1, len(found) - 1)] - reference)
    away = np.minimum(away, np.abs(found[np.searchsorted(found, reference).clip(1, len(found) - 1) - 1] - reference))
    return match_beats(reference, found, rate, excluded=excluded), float(np.median(away)) / rate * 1000, seconds


def figures(match: BeatMatch) -> dict[str, object]:
    """Return counts and shares of a match."""
    return {
        "beats": match.true_positives + match.false_negatives,
        "missed": match.false_negatives,
        "invented": match.false_positives,
        "sensitivity": round(match.sensitivity, 5),
        "ppv": round(match.positive_predictivity, 5),
    }


def interval(per_record: list[BeatMatch], which: str) -> list[float]:
    """Return the 95% interval of a pooled share over resampled records (2000 times): records differ, beats repeat."""
    from hounsfield.core.streams import stream

    rng = stream(0, f"r-peaks {which}")
    counts = np.array([[m.true_positives, m.false_negatives, m.false_positives] for m in per_record])
    drawn = counts[rng.integers(0, len(counts), (2000, len(counts)))].sum(1)
    wrong = drawn[:, 1] if which == "sensitivity" else drawn[:, 2]
    return [round(float(v), 5) for v in np.quantile(drawn[:, 0] / (drawn[:, 0] + wrong), (0.025, 0.975))]


def main() -> None:
    """Measure and write."""
    source = data_root() / "mitbih_arrhythmia"
    with (source / "records.csv").open(encoding="utf-8", newline="") as stream:
        parts = {row["record"]: row["split"] for row in csv.DictReader(stream)}
    rows: dict[str, BeatMatch] = {}
    table: list[dict[str, object]] = []
    seconds = 0.0
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_mitdb(source, root)
        cohort = Cohort("mitdb", str(root), (), Schema())
        for name, part in parts.items():
            match, away_ms, spent = record_match(cohort, root, name)
            rows[name] = match
            seconds += spent
            table.append({"record": name, "part": part, **figures(match), "median_distance_ms": round(away_ms, 1)})
            print(f"  {name} {match.false_negatives} missed, {match.false_positives} invented", flush=True)
    pooled = sum(rows.values(), BeatMatch(0, 0, 0))
    halves = {p: sum((m for n, m in rows.items() if parts[n] == p), BeatMatch(0, 0, 0)) for p in ("DS1", "DS2")}
    worst = min(rows, key=lambda n: min(rows[n].sensitivity, rows[n].positive_predictivity))
    least = min(pooled.sensitivity, pooled.positive_predictivity)
    write_result(
        "r-peaks",
        {
            **provenance(COMMAND),
            "data": "mitbih_arrhythmia: 44 records, lead MLII, whole records, 150 ms, flutter between [ and ] excluded",
            "developed_on": DEVELOPED_ON,
            "pooled": figures(pooled),
            "intervals": {w: interval(list(rows.values()), w) for w in ("sensitivity", "ppv")},
            "halves": {p: figures(m) for p, m in halves.items()},
            "worst_record": {"record": worst, **figures(rows[worst])},
            "must": MUST,
            "aim": AIM,
            "reached": "aim" if least >= AIM else "must" if least > MUST else "neither",
            "seconds_of_detection": round(seconds, 1),
            "hours_of_recording": round(sum(0.5 for _ in rows), 1),
            "records": table,
        },
    )
    print(f"sensitivity {pooled.sensitivity:.4%}, PPV {pooled.positive_predictivity:.4%}, worst {worst}")


if __name__ == "__main__":
    main()
