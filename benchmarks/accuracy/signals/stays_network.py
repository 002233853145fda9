"""Death in hospital (cinc2012_icu) by plain ``hu train`` on a table of events: as planned, and the networks alone.

``python -m benchmarks.accuracy.signals.stays_network`` trains on set a (validation by stays of it), judges set b once
in `VARIANTS`, and writes ``results/signals-stays-VARIANT.json`` for each when it is done: the plan as it is; the
networks of that plan without the learner beside them; and networks on the series alone. Finished runs are kept.
``--stays 150`` goes the whole way with a few stays of each set and a few steps, and writes nothing among the results.
"""

import argparse
import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from benchmarks.accuracy.signals.plain_runs import TRIAL, Changes, answered_by, cost, keep, trained
from benchmarks.accuracy.signals.stays import AIM, MUST, best_threshold, event_1, intervals
from benchmarks.record import RUNS, data_root, provenance
from benchmarks.signals.to_events import write_stays
from hounsfield.core.types import Float64Array, IntArray

MINUTES = 20.0
TARGET = "death"
DOOR = ("age", "gender", "height_cm", "weight_kg", "icu")
"""What is known of a stay when it begins. Scores and lengths of stay are not given to any model."""
MUST_ALONE = {"auroc": 0.83}
OTHERS = {
    "SAPS-I (the challenge's baseline)": {"auroc": 0.66, "event_1": 0.31},
    "best of the challenge, on set c": {"event_1": 0.535},
    "GRU-D (Che 2018, not confirmed here)": {"auroc": 0.842},
}
COMMAND = "python -m benchmarks.accuracy.signals.stays_network"
NO_OTHER: Changes = {("ensemble", "features"): False}
"""No learner beside the networks: what answers is recurrent networks, and their calibration."""


@dataclass(frozen=True)
class Variant:
    """One way to train on set a.

    Parameters
    ----------
    columns : tuple of str
        Of the table of outcomes, besides the record, its set and the answer.
    must : dict of str to float
    changes : mapping
        Of the plan.
    """

    columns: tuple[str, ...]
    must: dict[str, float]
    changes: Changes | None = None


VARIANTS = {
    "planned": Variant(DOOR, MUST),
    "network": Variant(DOOR, MUST_ALONE, NO_OTHER),
    "series": Variant((), MUST_ALONE, NO_OTHER),
}
"""As planned; its networks alone; networks that see the series alone, and nothing of what is known at the door."""


def stays_folder(columns: Sequence[str], count: int = 0, *, top: Path = RUNS, source: Path | None = None) -> Path:
    """Return a folder of events and outcomes as ``hu train`` is given it.

    Parameters
    ----------
    columns : sequence of str
        Of the outcomes.
    count : int
        Stays of each set; 0 for all.
    top : Path
        Where it is made.
    source : Path, optional
        Where the arrays lie.
    """
    whole = top / "cinc2012"
    if not (whole / "done").exists():
        write_stays(source or data_root() / "cinc2012_icu", whole)
        (whole / "done").touch()
    folder = top / f"cinc2012-{len(columns)}columns{f'-{count}' if count else ''}"
    folder.mkdir(parents=True, exist_ok=True)
    with (whole / "outcomes.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    if count:
        rows = [row for name in ("a", "b") for row in [r for r in rows if r["set"] == name][:count]]
    _write_events(
        whole / "events.parquet", folder / "events.parquet", {row["record"] for row in rows} if count else None
    )
    heads = ["record", "split", TARGET, *columns]
    draft = folder / "outcomes.draft"
    with draft.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, heads, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    draft.replace(folder / "outcomes.csv")
    return folder


def _write_events(whole: Path, place: Path, records: set[str] | None) -> None:
    if place.exists():
        return
    if records is None:
        os.link(whole, place)
        return
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = pq.read_table(whole)
    wanted = pc.is_in(table["record"].cast(pa.string()), value_set=pa.array(sorted(records)))
    pq.write_table(table.filter(wanted), place)


def judged(run: Path, part: str) -> tuple[Float64Array, IntArray]:
    """Return the log-odds of death and the truth of the stays of a part, from a run's ``predictions.csv``.

    Parameters
    ----------
    run : Path
    part : str

    Raises
    ------
    ValueError
        If a stay was refused: it would be left out of figures that are over all stays.
    """
    with (run / "predictions.csv").open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["part"] == part]
    if any(not row["probability:1"] for row in rows):
        raise ValueError(f"{sum(not row['probability:1'] for row in rows)} stays of part {part} have no answer")
    chance = np.clip(np.array([float(row["probability:1"]) for row in rows]), 1e-9, 1 - 1e-9)
    return np.log(chance / (1 - chance)), np.array([int(row["truth"]) for row in rows], np.int64)


def one(run: Path) -> dict[str, object]:
    """Return all figures of one run on set b; the threshold comes from stays of set a that were not learned from."""
    said, truth = judged(run, "test")
    held = judged(run, "val")
    threshold = best_threshold(*held)
    chance = 1.0 / (1.0 + np.exp(-said))
    return {
        "stays": len(truth),
        "died": int(truth.sum()),
        "auroc": round(float(roc_auc_score(truth, said)), 4),
        "event_1": round(event_1(said, truth, threshold), 4),
        "intervals": intervals(said, truth, threshold),
        "brier": round(float(((chance - truth) ** 2).mean()), 4),
        "mean_probability": round(float(chance.mean()), 4),
        "validation": {"stays": len(held[1]), "auroc": round(float(roc_auc_score(held[1], held[0])), 4)},
        "answered_by": answered_by(run),
        "cost": cost(run),
    }


def measured(name: str, *, seeds: Sequence[int], minutes: float, count: int) -> None:
    """Train and judge one variant; write its figures after each seed."""
    variant = VARIANTS[name]
    folder = stays_folder(variant.columns, count)
    rows: dict[str, dict[str, object]] = {}
    for seed in seeds:
        words = ["--target", TARGET, "--seed", str(seed), *([] if count else ["--minutes", f"{minutes:g}"])]
        changes = {**(variant.changes or {}), **(TRIAL if count else {})}
        called = f"stays-{name}-seed{seed}-{minutes:g}min" + (f"-{count}stays" if count else "")
        rows[str(seed)] = one(trained(folder, called, words, changes))
        told = {key: rows[str(seed)][key] for key in ("auroc", "event_1", "intervals", "answered_by")}
        print(f"{name}, seed {seed}: {told}", flush=True)
        given = f"cinc2012 --target {TARGET} --minutes {minutes:g}"
        edited = [f"({section}.{key}: {value})" for (section, key), value in (variant.changes or {}).items()]
        commands = (
            [f"hu plan {given} --out plan.yaml", *edited, "hu train plan.yaml"] if edited else [f"hu train {given}"]
        )
        content = {
            **provenance(f"{COMMAND} --only {name} --seeds {seed + 1} --minutes {minutes:g}"),
            "data": "cinc2012_icu as a table of events and a table of outcomes: set a to learn and to validate, set b "
            f"to judge; beside the series: {', '.join(variant.columns) or 'nothing'}",
            "commands": commands,
            "seeds": rows,
            "must": {
                n: {"wanted": w, "value": rows["0"][n], "met": _over(rows["0"][n], w)} for n, w in variant.must.items()
            },
            "aim": {n: {"wanted": w, "value": rows["0"][n], "met": _over(rows["0"][n], w)} for n, w in AIM.items()},
            "others": OTHERS,
        }
        keep(f"signals-stays-{name}", content, trial=bool(count))


def _over(value: object, wanted: float) -> bool:
    return isinstance(value, float) and value > wanted


def main() -> None:
    """Train, judge and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds, from 0")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="of each run")
    parser.add_argument("--stays", type=int, default=0, help="so many stays of each set: a trial, no figures")
    wanted = parser.parse_args()
    for name in wanted.only:
        measured(name, seeds=range(wanted.seeds), minutes=wanted.minutes, count=wanted.stays)


if __name__ == "__main__":
    main()
