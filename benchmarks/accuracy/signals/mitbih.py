"""Beats of MIT-BIH (mitbih_arrhythmia): plain ``hu train`` on the official division, N S V F, records left out.

``python -m benchmarks.accuracy.signals.mitbih --inside-ds1 [--seeds 3]`` trains and judges within DS1 alone, four parts
of its records left out in turn: everything is chosen there. ``python -m benchmarks.accuracy.signals.mitbih`` then
trains on DS1, judges DS2 once, and writes ``results/signals-mitbih.json``: as the division is; without record 201,
whose patient is also in DS2; and the recurrent encoder with no row beside the signal. Finished runs of the same code
are kept, so that a command that was interrupted goes on when it is given again.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.accuracy.signals.beats_figures import (
    CLASSES,
    OTHER,
    Beat,
    figures,
    judged,
    per_record,
    verdict,
    weighed_alike,
)
from benchmarks.accuracy.signals.beats_folders import (
    HELD_OUT,
    ONE_PERSON,
    TARGET,
    inside,
    official,
    one_person_said,
    signal_alone,
    with_others_hidden,
)
from benchmarks.record import RUNS, code, provenance, write_result

MINUTES = 14.0
"""Of the 15 that there are: what a plan promises is a wall time, reading and report included."""
WITHIN_S = 900.0
INSIDE_MINUTES = 8.0
MUST = {"accuracy": 0.93, "mean_sensitivity": 0.70, "jk": 0.70}
AIM = {"accuracy": 0.95, "mean_sensitivity": 0.80, "jk": 0.80}
MUST_ALONE = {"accuracy": 0.91, "mean_sensitivity": 0.60}
NAMED = ("232", "213")
"""Records that hold most test beats of class S, and most of class F."""
OTHERS = {
    "ensemble of SVMs (Mondejar-Guerra 2019)": {"accuracy": 0.945, "mean_sensitivity": 0.703, "jk": 0.773},
    "Zhang 2014": {"accuracy": 0.883, "mean_sensitivity": 0.868, "jk": 0.663},
    "Mar 2011": {"accuracy": 0.899, "mean_sensitivity": 0.802, "jk": 0.649},
    "de Chazal 2004": {"accuracy": 0.862, "mean_sensitivity": 0.832, "jk": 0.612},
}
COMMAND = "python -m benchmarks.accuracy.signals.mitbih"


@dataclass(frozen=True)
class Asked:
    """What every run of the benchmark is asked for.

    Parameters
    ----------
    minutes : float
        Of each run.
    folds : int
        Folds over the training records, each of which calibrates the networks of the others; 0 leaves records out of
        training for that.
    """

    minutes: float
    folds: int = 0

    @property
    def words(self) -> list[str]:
        """Options of ``hu train``."""
        return ["--minutes", f"{self.minutes:g}", *(["--folds", str(self.folds)] if self.folds else [])]

    @property
    def name(self) -> str:
        """Part of the name of a run."""
        return f"{self.minutes:g}min" + (f"-{self.folds}folds" if self.folds else "")


def trained(folder: Path, name: str, *, seed: int, asked: Asked, network: str | None = None) -> Path:
    """Return the run of ``hu train`` on a folder, made now or before by the same code."""
    out = RUNS / f"mitbih-{name}-seed{seed}-{asked.name}-{code()}"
    if (out / "report.json").exists() and not (out / ".work").exists():
        return out
    words = ["train", str(folder), *asked.words, "--seed", str(seed), "--out", str(out)]
    words += ["--network", network] if network else []
    words += [] if (folder / "cohort.yaml").exists() else ["--target", TARGET]
    subprocess.run([sys.executable, "-m", "hounsfield.cli", *words], check=True)
    return out


def cost(run: Path) -> dict[str, object]:
    """Return what a run took, what it promised, and how many networks it has."""
    report = json.loads((run / "report.json").read_text(encoding="utf-8"))
    told = {k: report["cost"][k] for k in ("seconds", "predicted_seconds", "peak_mib", "steps", "stopped_by_clock")}
    networks = next((p["value"] for p in report["plan"] if (p["section"], p["key"]) == ("ensemble", "members")), None)
    return {**told, "networks": networks, "within_15_minutes": report["cost"]["seconds"] < WITHIN_S}


def hidden_beats(run: Path, folder: Path) -> list[Beat]:
    """Return what a run takes the beats of class Q for."""
    from hounsfield.workflow.predicting import predict

    hidden, places = with_others_hidden(folder)
    if not places:
        return []
    found: list[Beat] = []
    for said in predict(run, [hidden]):
        record, _, at = said.sample.rpartition("_")
        if int(at.partition("#")[0]) in places.get(record, set()):
            answer = "" if said.refusal else str(next(iter(said.targets.values())).value)
            found.append(Beat(record, OTHER, answer))
    if len(found) != sum(map(len, places.values())):
        raise ValueError(f"{len(found)} beats of class Q were answered, not {sum(map(len, places.values()))}")
    return found


def one(run: Path, folder: Path) -> dict[str, object]:
    """Return all figures of one run on DS2."""
    beats = judged(run)
    with_q = figures([*beats, *hidden_beats(run, folder)], (*CLASSES, OTHER))
    records = per_record(beats)
    return {
        **figures(beats),
        "q_counted_wrong": with_q,
        "classes_weighed_alike": figures(weighed_alike(run)),
        "without_record_202": figures([b for b in beats if b.record != ONE_PERSON[1]]),
        "named_records": [row for row in records if row["record"] in NAMED],
        "per_record": records,
        "cost": cost(run),
    }


def inside_ds1(folder: Path, seeds: Sequence[int], *, asked: Asked, alone: bool) -> dict[str, object]:
    """Return pooled figures of records of DS1 that were left out, for each seed; nothing of DS2 is read.

    Parameters
    ----------
    folder : Path
        Of all records.
    seeds : sequence of int
    asked : Asked
        Of each of four runs.
    alone : bool
        Whether the signal has no row beside it.
    """
    found: dict[str, object] = {}
    for seed in seeds:
        beats: list[Beat] = []
        alike: list[Beat] = []
        for held_out in HELD_OUT:
            part = inside(folder, held_out)
            name = f"inside{'-alone' if alone else ''}-{held_out[0]}"
            source = signal_alone(part) if alone else part
            run = trained(source, name, seed=seed, asked=asked, network="recurrent" if alone else None)
            beats += judged(run)
            alike += weighed_alike(run)
            print(f"inside DS1, seed {seed}, {held_out[0]} and others: {_line(figures(judged(run)))}", flush=True)
        second = figures(alike)
        found[str(seed)] = {**figures(beats), "classes_weighed_alike": second, "per_record": per_record(beats)}
        print(f"inside DS1, seed {seed}: {_line(found[str(seed)])}", flush=True)
        print(f"inside DS1, seed {seed}, classes weighed alike: {_line(second)}", flush=True)
    return found


def main() -> None:
    """Train, judge and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inside-ds1", action="store_true", help="within DS1: nothing of DS2 is judged or written")
    parser.add_argument("--alone", action="store_true", help="with --inside-ds1: the signal without rows")
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds, from 0")
    parser.add_argument("--minutes", type=float, default=None, help="of each run; others than the usual ones are named")
    parser.add_argument("--folds", type=int, default=0, help="folds of each run: all records train, all calibrate")
    wanted = parser.parse_args()
    folder = official()
    seeds = range(wanted.seeds)
    if wanted.inside_ds1:
        asked = Asked(wanted.minutes or INSIDE_MINUTES, wanted.folds)
        chosen = inside_ds1(folder, seeds, asked=asked, alone=wanted.alone)
        name = ("recurrent_alone" if wanted.alone else "with_rows") + (f"_{wanted.folds}_folds" if wanted.folds else "")
        _kept().write_text(json.dumps({**_inside(), name: chosen}, indent=1), encoding="utf-8")
        return
    asked = Asked(wanted.minutes or MINUTES, wanted.folds)
    sources: dict[str, tuple[Path, str | None]] = {
        "official": (folder, None),
        "without_201": (one_person_said(folder), None),
        "recurrent_alone": (signal_alone(folder), "recurrent"),
    }
    rows: dict[str, dict[str, object]] = {}
    for name, (source, network) in sources.items():
        rows[name] = {}
        for seed in seeds:
            run = trained(source, name, seed=seed, asked=asked, network=network)
            rows[name][str(seed)] = one(run, folder)
            print(f"{name}, seed {seed}: {_line(rows[name][str(seed)])}", flush=True)
    first = {name: found["0"] for name, found in rows.items()}
    write_result(
        "signals-mitbih",
        {
            **provenance(f"{COMMAND} --seeds {wanted.seeds} {' '.join(asked.words)}"),
            "data": "mitbih_arrhythmia, lead MLII, de Chazal's DS1 to train and DS2 to test, paced records and class Q "
            "left out, validation by leaving records of DS1 out; intervals over records",
            "commands": [f"hu train mitdb --target {TARGET} {' '.join(asked.words)}"],
            "rows": rows,
            "inside_ds1": _inside(),
            "must": {
                **{name: verdict(_dict(first[name]), MUST) for name in ("official", "without_201")},
                "recurrent_alone": verdict(_dict(first["recurrent_alone"]), MUST_ALONE),
            },
            "aim": verdict(_dict(first["official"]), AIM),
            "others": OTHERS,
        },
    )


def _kept() -> Path:
    """Return where figures of DS1 alone are kept until a full run of the same code takes them along."""
    return RUNS / f"mitbih-inside-{code()}.json"


def _inside() -> dict[str, object]:
    return _dict(json.loads(_kept().read_text(encoding="utf-8"))) if _kept().exists() else {}


def _dict(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _line(found: object) -> str:
    told = _dict(found)
    said = ", ".join(f"{n} {told[n]}" for n in ("accuracy", "mean_sensitivity", "jk"))
    shares = " ".join(f"{c} {told[f'sensitivity:{c}']}/{told[f'ppv:{c}']}" for c in CLASSES)
    return f"{said}; sensitivity/PPV {shares}"


if __name__ == "__main__":
    main()
