"""Figures of beats: confusion matrices, the jk index, intervals over records."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import yaml

from hounsfield.core.streams import stream
from hounsfield.core.types import Float64Array

CLASSES = ("N", "S", "V", "F")
OTHER = "Q"
REPLICATES = 2000


@dataclass(frozen=True)
class Beat:
    """One judged beat.

    Parameters
    ----------
    record : str
    truth : str
        Its class, also ``Q``.
    said : str
        What it was taken for; empty where it was refused.
    """

    record: str
    truth: str
    said: str


def judged(folder: Path, part: str = "test") -> list[Beat]:
    """Return the beats of a part of a run as they are called, from its ``predictions.csv``.

    Parameters
    ----------
    folder : Path
        Of the run.
    part : str
    """
    return [_beat(row, row["at_operating_point"]) for row in predicted_rows(folder, part)]


def likeliest(folder: Path, part: str = "test") -> list[Beat]:
    """Return the same beats, each taken for its most probable class."""
    return [_beat(row, row["predicted"]) for row in predicted_rows(folder, part)]


def weighed_alike(folder: Path, part: str = "test", *, power: float = 1.0) -> list[Beat]:
    """Return the same beats, each taken for the class that it is most like, as if all classes were as frequent.

    Parameters
    ----------
    folder : Path
        Of the run.
    part : str
    power : float
        1 as said; 0 as `likeliest` has them; between them in between.

    Notes
    -----
    The largest ``p_k / (w_k s_k)^power``, with p the probability, s the class's share of the training beats and w its
    weight in training. It looks for the highest mean sensitivity where `likeliest` looks for what is likely, and pays
    with accuracy: a row beside them, in which nothing is fitted.
    """
    seen = json.loads((folder / "fingerprint.json").read_text(encoding="utf-8"))
    plan = yaml.safe_load((folder / "plan.yaml").read_text(encoding="utf-8"))
    counts = next(iter(seen["targets"].values()))["counts"]
    weights = plan["sections"]["optimisation"]["class_weights"]["value"] or [1.0] * len(counts)
    heard: dict[str, float] = {name: weight * counts[name] for name, weight in zip(counts, weights, strict=True)}

    def likest(row: Mapping[str, str]) -> str:
        if not row["predicted"]:
            return ""
        return max(heard, key=lambda name: float(row[f"probability:{name}"]) / max(heard[name], 1e-9) ** power)

    return [_beat(row, likest(row)) for row in predicted_rows(folder, part)]


def predicted_rows(folder: Path, part: str = "test") -> list[dict[str, str]]:
    """Return the rows of a part of a run's ``predictions.csv``."""
    with (folder / "predictions.csv").open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["part"] == part]


def _beat(row: Mapping[str, str], said: str) -> Beat:
    return Beat(row["sample"].rpartition("_")[0], row["truth"], said)


def counted(beats: Sequence[Beat], classes: Sequence[str] = CLASSES) -> Float64Array:
    """Return how often each class (rows) was taken for each (columns; the last: for none of them), ``k k+1``."""
    place = {name: i for i, name in enumerate(classes)}
    table = np.zeros((len(classes), len(classes) + 1))
    for beat in beats:
        table[place[beat.truth], place.get(beat.said, len(classes))] += 1
    return table


def kappa(table: Float64Array) -> Float64Array:
    """Return Cohen's kappa of tables ``... k k+1``; NaN where all is of one class."""
    square = np.concatenate([table, np.zeros_like(table[..., :1, :])], axis=-2)
    total = square.sum(axis=(-2, -1))
    agreed = np.trace(square, axis1=-2, axis2=-1) / total
    expected = (square.sum(axis=-1) * square.sum(axis=-2)).sum(axis=-1) / total**2
    with np.errstate(invalid="ignore", divide="ignore"):  # all of one class: nothing to agree on
        return np.asarray((agreed - expected) / (1 - expected), np.float64)


def of_tables(table: Float64Array) -> dict[str, Float64Array]:
    """Return the figures of tables ``... k k+1`` whose classes begin with N, S, V, F.

    Notes
    -----
    ``mean_sensitivity`` is over N, S, V, F. ``jk = kappa / 2 + j / 8`` with j the sum of sensitivity and positive
    predictive value of S and V: 1 at best. A share of nothing is 0 for a predictive value (nothing was found), NaN for
    a sensitivity.

    References
    ----------
    Mar T et al. Optimization of ECG classification by means of feature selection. IEEE Trans Biomed Eng
    2011;58:2168-77.
    """
    right = np.diagonal(table, axis1=-2, axis2=-1)[..., : len(CLASSES)]
    rows, columns = table.sum(axis=-1), table.sum(axis=-2)
    with np.errstate(invalid="ignore", divide="ignore"):
        sensitivity = right / rows[..., : len(CLASSES)]
        ppv = np.nan_to_num(right / columns[..., : len(CLASSES)])
    found = {
        "accuracy": np.trace(table, axis1=-2, axis2=-1) / table.sum(axis=(-2, -1)),
        "mean_sensitivity": sensitivity.mean(axis=-1),
        "kappa": kappa(table),
    }
    found["jk"] = found["kappa"] / 2 + (sensitivity[..., 1:3].sum(axis=-1) + ppv[..., 1:3].sum(axis=-1)) / 8
    for place, name in enumerate(CLASSES):
        found[f"sensitivity:{name}"], found[f"ppv:{name}"] = sensitivity[..., place], ppv[..., place]
    return found


def figures(beats: Sequence[Beat], classes: Sequence[str] = CLASSES) -> dict[str, object]:
    """Return figures, their 95% intervals over resampled records, and the table behind them.

    Parameters
    ----------
    beats : sequence of Beat
    classes : sequence of str
        N, S, V, F, and Q behind them where its beats count too: all of them are wrong.
    """
    by_record: dict[str, list[Beat]] = {}
    for beat in beats:
        by_record.setdefault(beat.record, []).append(beat)
    tables = np.stack([counted(own, classes) for own in by_record.values()])
    rng = stream(0, "beats")
    drawn = tables[rng.integers(0, len(tables), (REPLICATES, len(tables)))].sum(axis=1)
    over, values = of_tables(drawn), of_tables(tables.sum(axis=0))
    intervals = {n: interval(over[n]) for n in ("accuracy", "mean_sensitivity", "jk")}
    return {
        "beats": len(beats),
        "records": len(tables),
        **{name: rounded(float(value)) for name, value in values.items()},
        "intervals": intervals,
        "confusion": {
            name: dict(zip((*classes, "refused"), map(int, row), strict=True))
            for name, row in zip(classes, tables.sum(axis=0), strict=True)
        },
    }


def per_record(beats: Sequence[Beat]) -> list[dict[str, object]]:
    """Return what became of the beats of each record, class by class: found of how many, and said wrongly."""
    names = list(dict.fromkeys(b.record for b in beats))
    found: list[dict[str, object]] = []
    for name in names:
        table = counted([b for b in beats if b.record == name])
        row: dict[str, object] = {"record": name, "beats": int(table.sum())}
        row["accuracy"] = rounded(float(np.trace(table) / table.sum()))
        for place, label in enumerate(CLASSES):
            right = table[place, place]
            row[label] = {
                "beats": int(table[place].sum()),
                "found": int(right),
                "wrongly": int(table[:, place].sum() - right),
            }
        found.append(row)
    return found


def verdict(found: Mapping[str, object], wanted: Mapping[str, float]) -> dict[str, dict[str, object]]:
    """Return for each wanted figure whether it is exceeded."""
    values = {name: cast("float | None", found[name]) for name in wanted}
    return {n: {"wanted": w, "value": values[n], "met": (values[n] or 0.0) > w} for n, w in wanted.items()}


def interval(values: Float64Array) -> list[float | None]:
    """Return the middle 95% of replicates, undefined ones left out; None where there are no others."""
    known = values[np.isfinite(values)]
    return [rounded(float(q)) for q in np.quantile(known, (0.025, 0.975))] if len(known) else [None, None]


def rounded(value: float) -> float | None:
    """Return a figure with four digits; None where it is undefined."""
    return round(value, 4) if np.isfinite(value) else None
