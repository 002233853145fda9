"""Figures of windows of one rhythm: how many are found, what share of a record it takes up, what is taken for it."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.accuracy.signals.beats_figures import REPLICATES, interval, predicted_rows, rounded
from hounsfield.core.streams import stream
from hounsfield.core.types import Float64Array
from hounsfield.data.signal.wfdb.annotations import read_annotations, rhythms

ENDLESS = 1 << 62
"""Samples of a record whose last rhythm may last as long as it likes: only where it begins is asked."""


@dataclass(frozen=True)
class Window:
    """One judged window.

    Parameters
    ----------
    record : str
    start : int
        Sample that it begins at.
    truth : bool
        Whether it is of the rhythm.
    said : bool or None
        Whether it was called so at the operating point; None where no answer was given.
    """

    record: str
    start: int
    truth: bool
    said: bool | None


def windows(run: Path, rhythm: str) -> list[Window]:
    """Return the judged windows of a run, from its ``predictions.csv``.

    Parameters
    ----------
    run : Path
    rhythm : str
        The positive class.
    """
    found = []
    for row in predicted_rows(run):
        record, _, start = row["sample"].rpartition("_")
        called = row["at_operating_point"]
        found.append(Window(record, int(start), row["truth"] == rhythm, called == rhythm if called else None))
    return found


def counted(found: Sequence[Window]) -> Float64Array:
    """Return how many windows are found, missed, wrongly called and rightly not called, ``4``; unanswered: uncalled."""
    table = np.zeros(4)
    for one in found:
        table[(0 if one.said else 1) if one.truth else (2 if one.said else 3)] += 1
    return table


def of_counts(counts: Float64Array) -> dict[str, Float64Array]:
    """Return sensitivity, specificity and positive predictive value of counts ``... 4``; NaN for a share of nothing."""
    hit, missed, wrongly, rest = np.moveaxis(counts, -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):  # a drawing may lack the rhythm
        return {
            "sensitivity": hit / (hit + missed),
            "specificity": rest / (rest + wrongly),
            "ppv": hit / (hit + wrongly),
        }


def burdens(counts: Float64Array) -> Float64Array:
    """Return the share of the time that is of the rhythm, and the share that is called so, of counts ``... 4``."""
    total = counts.sum(axis=-1)
    both = np.stack([counts[..., [0, 1]].sum(axis=-1), counts[..., [0, 2]].sum(axis=-1)], axis=-1)
    return np.asarray(both / total[..., None], np.float64)


def figures(found: Sequence[Window]) -> dict[str, object]:
    """Return figures of all windows, their 95% intervals over resampled records, and the figures of each record.

    Parameters
    ----------
    found : sequence of Window

    Notes
    -----
    ``burden_error`` is the mean over records of the absolute difference between the share of a record's windows that
    are called so and the share that are so; ``burden_bias`` the mean of the difference itself. Windows lie in one
    rhythm each: what lies between two of them is in no share.
    """
    by_record: dict[str, list[Window]] = {}
    for one in found:
        by_record.setdefault(one.record, []).append(one)
    tables = np.stack([counted(own) for own in by_record.values()])
    shares = burdens(tables)
    errors = shares[:, 1] - shares[:, 0]
    drawn = stream(0, "rhythms").integers(0, len(tables), (REPLICATES, len(tables)))
    values = {name: float(value) for name, value in of_counts(tables.sum(axis=0)).items()}
    values |= {"burden_error": float(np.abs(errors).mean()), "burden_bias": float(errors.mean())}
    over: dict[str, Float64Array] = {
        **of_counts(tables[drawn].sum(axis=1)),
        "burden_error": np.abs(errors)[drawn].mean(axis=1),
        "burden_bias": errors[drawn].mean(axis=1),
    }
    return {
        "windows": len(found),
        "records": len(tables),
        "unanswered": sum(one.said is None for one in found),
        **{name: rounded(value) for name, value in values.items()},
        "intervals": {name: interval(one) for name, one in over.items()},
        "per_record": [
            {
                "record": name,
                "windows": int(table.sum()),
                "share": rounded(float(true)),
                "said_share": rounded(float(said)),
                "found": int(table[0]),
                "missed": int(table[1]),
                "wrongly": int(table[2]),
            }
            for name, table, (true, said) in zip(by_record, tables, shares, strict=True)
        ],
    }


def by_rhythm(found: Sequence[Window], folder: Path) -> dict[str, dict[str, int]]:
    """Return how many windows of each annotated rhythm there are, and how many of them are called so.

    Parameters
    ----------
    found : sequence of Window
    folder : Path
        Of the records, with their annotations.
    """
    spans = {n: rhythms(read_annotations(folder / f"{n}.atr"), ENDLESS) for n in {one.record for one in found}}
    all_of: Counter[str] = Counter()
    called: Counter[str] = Counter()
    for one in found:
        own = spans[one.record]
        label = own[bisect_right([s.start for s in own], one.start) - 1].label
        all_of[label] += 1
        called[label] += bool(one.said)
    return {label: {"windows": n, "said": called[label]} for label, n in all_of.most_common()}
