"""Figures over many cases: means over images, pooled figures, and what a mean would hide."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hounsfield.core.errors import InputError
from hounsfield.core.types import AnyArray, BoolArray, Float64Array
from hounsfield.science.statistics.figures import (
    Figures,
    Replicates,
    bootstrap_figures,
    mean_of_rows,
    paired_figures,
    plain_values,
)
from hounsfield.science.statistics.inputs import ratio
from hounsfield.science.statistics.intervals import Difference, Interval
from hounsfield.science.statistics.segmentation.box_scores import BoxScores, BoxTable
from hounsfield.science.statistics.segmentation.pixel_scores import PixelScores, auroc_of, average_precision_of

MEANS = ("dice", "iou", "hd95_mm", "assd_mm", "nsd", "volume_error", "volume_bias", "volume_error_ml")
"""Averaged over the images that hold the structure."""
_BLOCK = 64

CaseFigures = Mapping[str, float]
"""What `mask_figures` returns for one structure of one case."""


def figures_of_masks(
    cases: Mapping[str, Sequence[CaseFigures]],
    *,
    pixels: Mapping[str, Sequence[PixelScores]] | None = None,
    boxes: Mapping[str, Sequence[BoxScores]] | None = None,
) -> Figures:
    """Prepare the figures of a mask target over many cases.

    Parameters
    ----------
    cases : mapping of str to sequence
        Class to the figures of every case, in one order for all classes.
    pixels : mapping of str to sequence of PixelScores, or None
        Class to the histogram of every case, in the same order.
    boxes : mapping of str to sequence of BoxScores, or None
        Class to the boxes of every case, in the same order, where boxes are asked for.

    Returns
    -------
    Figures
        For one class, and for several the mean over classes and each class as ``<name>:<class>``:

        ``dice iou hd95_mm assd_mm nsd volume_error volume_bias volume_error_ml``: mean over the images that hold the
        structure (a distance: over those where it is marked too);
        ``dice_all``: mean over all images, an empty one without a mark counting 1, with one 0;
        ``dice_pooled``, ``sensitivity``, ``precision``: from the voxels of all images together;
        ``lesion_sensitivity lesion_precision lesion_f1``: from the lesions of all images together;
        ``missed_rate``: share of the images with the structure where nothing is marked;
        ``false_positive_rate``: share of the images without it where something is marked;
        ``pixel_auroc pixel_average_precision``: from the pixels of all images together;
        those of `BoxTable` from the boxes of all images together.

    Raises
    ------
    InputError
        If there is no class, or classes differ in their number of cases.

    Notes
    -----
    A mean of Dice over images that hold the structure says nothing of false alarms elsewhere; `false_positive_rate`
    does. A mean of distances leaves out the images where nothing was marked; `missed_rate` says how many. A class that
    no image holds has NaN and leaves the mean over classes NaN: it was not judged.
    """
    counts = {len(rows) for each in (cases, pixels or {}, boxes or {}) for rows in each.values()}
    if len(counts) != 1:
        raise InputError(
            f"The classes have {', '.join(str(c) for c in sorted(counts)) or 'no'} cases.", expected="as many for each"
        )
    samples = counts.pop()
    tables = {name: _Table(rows) for name, rows in cases.items()}
    further: dict[str, list[_Histograms | BoxTable]] = {name: [] for name in tables}
    for name, seen in (pixels or {}).items():
        further[name].append(_Histograms(seen))
    for name, drawn in (boxes or {}).items():
        further[name].append(BoxTable(drawn))

    def evaluate(weights: Float64Array) -> Replicates:
        by_class = {name: table.evaluate(weights) for name, table in tables.items()}
        for name, more in further.items():
            for one in more:
                by_class[name] |= one.evaluate(weights)
        if len(by_class) == 1:
            return next(iter(by_class.values()))
        names = list(next(iter(by_class.values())))
        result = {name: mean_of_rows([found[name] for found in by_class.values()], weights) for name in names}
        for label, found in by_class.items():
            result |= {f"{name}:{label}": value for name, value in found.items()}
        return result

    trials: dict[str, BoolArray] = {}
    for label, table in tables.items():
        ending = "" if len(tables) == 1 else f":{label}"
        trials |= {f"missed_rate{ending}": table.holds, f"false_positive_rate{ending}": ~table.holds}
    return Figures(samples, plain_values(evaluate, samples), evaluate, trials)


def worst(rows: Sequence[CaseFigures], *, count: int = 6, by: str = "dice") -> tuple[int, ...]:
    """Return the indices of the worst cases, the worst first.

    Parameters
    ----------
    rows : sequence
        Figures of every case.
    count : int
        How many at most.
    by : str
        Lowest first; for distances and errors (``hd95_mm``, ``assd_mm``, ``volume_error...``) highest first. Undefined
        ones are left out.
    """
    sign = -1.0 if by.startswith(("hd95", "assd", "volume_error")) else 1.0
    values = sign * np.array([row[by] for row in rows], dtype=np.float64)
    order = np.argsort(values, kind="stable")
    return tuple(int(n) for n in order if not np.isnan(values[n]))[:count]


@dataclass(frozen=True)
class BesideObserver:
    """A model and a second reader, both judged against the first reader on the same cases.

    Parameters
    ----------
    cases : int
        That have both.
    model, observer : dict of str to Interval
    difference : dict of str to Difference
        Model less observer, paired.
    """

    cases: int
    model: dict[str, Interval]
    observer: dict[str, Interval]
    difference: dict[str, Difference]


def beside_observer(
    model: Mapping[str, Sequence[CaseFigures]],
    observer: Mapping[str, Sequence[CaseFigures | None]],
    patients: AnyArray,
    *,
    rng: np.random.Generator,
    replicates: int = 2000,
) -> BesideObserver | None:
    """Set a model beside a second reader.

    Parameters
    ----------
    model : mapping of str to sequence
        Class to the figures of the model for every case.
    observer : mapping of str to sequence
        The same of the second reader's masks; None where a case has none.
    patients : array (n,)
        What names the patient of each case.
    rng : numpy.random.Generator
    replicates : int

    Returns
    -------
    BesideObserver or None
        None where no case has a second reader.
    """
    both = [n for n in range(len(patients)) if all(rows[n] is not None for rows in observer.values())]
    if not both or not observer:
        return None
    ours = figures_of_masks({name: [model[name][n] for n in both] for name in observer})
    theirs = figures_of_masks({name: [r for n in both if (r := rows[n])] for name, rows in observer.items()})
    people = np.asarray(patients)[both]
    # one seed for all three, so that the intervals are of the same draws
    seed = int(rng.integers(0, 2**63))
    draws = [np.random.Generator(np.random.Philox(key=seed)) for _ in range(3)]
    return BesideObserver(
        len(both),
        bootstrap_figures(ours, people, rng=draws[0], replicates=replicates),
        bootstrap_figures(theirs, people, rng=draws[1], replicates=replicates),
        paired_figures(ours, theirs, people, rng=draws[2], replicates=replicates),
    )


class _Table:
    """Figures of one class, a row for each case."""

    def __init__(self, rows: Sequence[CaseFigures]) -> None:
        self._values = {name: np.array([row[name] for row in rows], dtype=np.float64) for name in _names(rows)}
        self.holds = self._column("tp") + self._column("fn") > 0

    def _column(self, name: str) -> Float64Array:
        return self._values.get(name, np.zeros(0))

    def evaluate(self, weights: Float64Array) -> Replicates:
        """Return every figure in every replicate."""
        result = {name: self._mean(self._column(name), self.holds, weights) for name in MEANS}
        everywhere = np.ones(len(weights), dtype=np.bool_)
        said = (self._column("tp") + self._column("fp") > 0).astype(np.float64)
        tp, fp, fn = (self._column(name) @ weights for name in ("tp", "fp", "fn"))
        true, found, right, marked = (
            self._column(f"lesions_{name}") @ weights for name in ("true", "found", "right", "said")
        )
        seen, sure = ratio(found, true), ratio(right, marked)
        return result | {
            "dice_all": self._mean(self._column("dice"), everywhere, weights),
            "dice_pooled": ratio(2 * tp, 2 * tp + fp + fn),
            "sensitivity": ratio(tp, tp + fn),
            "precision": ratio(tp, tp + fp),
            "lesion_sensitivity": seen,
            "lesion_precision": sure,
            "lesion_f1": _harmonic(seen, sure, true + marked),
            "missed_rate": self._mean(1 - said, self.holds, weights),
            "false_positive_rate": self._mean(said, ~self.holds, weights),
        }

    def _mean(self, values: Float64Array, among: AnyArray, weights: Float64Array) -> Float64Array:
        use = among & ~np.isnan(values)
        return ratio(values[use] @ weights[use], weights[use].sum(axis=0))


class _Histograms:
    """Histograms of one class, one for each case; most bins of a case are empty."""

    def __init__(self, rows: Sequence[PixelScores]) -> None:
        from scipy.sparse import csc_array, hstack

        # one column for each case: a product with weights is the histogram of a replicate
        columns = [(csc_array(row.inside[:, None]), csc_array(row.outside[:, None])) for row in rows]
        self._inside = hstack([c[0] for c in columns], format="csc") if rows else None
        self._outside = hstack([c[1] for c in columns], format="csc") if rows else None

    def evaluate(self, weights: Float64Array) -> Replicates:
        """Return both figures in every replicate, a block of replicates at a time."""
        found: dict[str, list[Float64Array]] = {"pixel_auroc": [], "pixel_average_precision": []}
        for start in range(0, weights.shape[1], _BLOCK):
            drawn = weights[:, start : start + _BLOCK]
            if self._inside is None or self._outside is None:
                break
            inside, outside = (self._inside @ drawn).T, (self._outside @ drawn).T
            found["pixel_auroc"].append(auroc_of(inside, outside))
            found["pixel_average_precision"].append(average_precision_of(inside, outside))
        empty = np.full(weights.shape[1], np.nan)
        return {name: np.concatenate(parts) if parts else empty for name, parts in found.items()}


def _names(rows: Sequence[CaseFigures]) -> tuple[str, ...]:
    return tuple(rows[0]) if rows else ()


def _harmonic(one: Float64Array, other: Float64Array, pieces: Float64Array) -> Float64Array:
    """Return the F1 of two shares: NaN where there are no pieces at all, 0 where one share is 0 or undefined."""
    first, second = np.nan_to_num(one), np.nan_to_num(other)
    result = np.divide(2 * first * second, first + second, out=np.zeros_like(first), where=first + second > 0)
    return np.where(pieces > 0, result, np.nan)
