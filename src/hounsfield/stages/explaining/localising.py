"""Whether boxes from maps find what a reader outlined: chosen on some images, judged on others, beside chance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from hounsfield.core.report import Figure
from hounsfield.core.streams import stream
from hounsfield.core.types import BoolArray, Float64Array
from hounsfield.science.statistics.intervals import Difference, Interval, Statistic, bootstrap, paired_bootstrap
from hounsfield.stages.explaining.boxes import SHARES, USUAL, Candidate, Tried

LEAST = 10
"""Outlined images from which a share is chosen, and on which boxes are judged, at least."""
HALF = 0.5
"""Intersection over union from which a box counts as right (Everingham et al., PASCAL VOC, 2010)."""
CHOSEN, RANDOM, MIDDLE, GREY = "chosen", "random", "middle", "grey"
"""Names of what is judged beside the maps."""
GREYS = ("bright", "dark")
"""Maps of grey values; the better one of the choosing images is the baseline `GREY`."""
FIGURES = ("pointing", "box_iou", "box_half", "region_iou")


@dataclass(frozen=True)
class Marked:
    """One outlined image in which the model sees a finding.

    Parameters
    ----------
    sample, patient : str
    group : int
        Images of one group are never chosen by and judged on together; the fold where there are folds.
    tried : mapping of str to Tried
        By map; ``middle``, ``bright`` and ``dark`` among them.
    """

    sample: str
    patient: str
    group: int
    tried: Mapping[str, Tried] = field(repr=False)


@dataclass(frozen=True)
class Choice:
    """A map and where it is cut.

    Parameters
    ----------
    method : str
    place : int
        In `SHARES`.
    images : int
        Outlined images it was chosen on; 0 where there were too few, and the share is `USUAL`.
    """

    method: str
    place: int
    images: int

    @property
    def share(self) -> float:
        """Share of the map's highest value."""
        return SHARES[self.place]


def choose(marks: Sequence[Marked], methods: Sequence[str]) -> Choice:
    """Return the map and share whose boxes fit outlined images best on average.

    Parameters
    ----------
    marks : sequence of Marked
    methods : sequence of str
        To choose from; the first one where there are fewer than `LEAST` images.
    """
    if len(marks) < LEAST:
        return Choice(methods[0], SHARES.index(USUAL), 0)
    means = {
        (name, place): float(np.mean([m.tried[name].candidates[place].box_iou for m in marks]))
        for name in methods
        for place in range(len(SHARES))
    }
    name, place = max(means, key=lambda key: means[key])
    return Choice(name, place, len(marks))


def choices(marks: Sequence[Marked], methods: Sequence[str], choosing: Sequence[Marked] | None) -> dict[int, Choice]:
    """Return what is chosen for each group of images.

    Parameters
    ----------
    marks : sequence of Marked
        That are to be judged.
    methods : sequence of str
    choosing : sequence of Marked or None
        Images to choose by; None: each group by the images of all others.
    """
    groups = sorted({m.group for m in marks})
    if choosing is not None:
        return dict.fromkeys(groups, choose(choosing, methods))
    return {g: choose([m for m in marks if m.group != g], methods) for g in groups}


@dataclass(frozen=True)
class Judged:
    """Boxes from maps beside boxes that know nothing.

    Parameters
    ----------
    figures : mapping of str to mapping
        Each map, `CHOSEN` (the map and share that were chosen), `RANDOM`, `MIDDLE`, `GREY` to `FIGURES`.
    differences : mapping of str to mapping
        Baseline to how far `CHOSEN` is above it.
    chosen : mapping of int to Choice
        By group.
    """

    figures: Mapping[str, Mapping[str, Figure]]
    differences: Mapping[str, Mapping[str, Figure]]
    chosen: Mapping[int, Choice]

    @property
    def better_than_random(self) -> bool:
        """Whether the boxes lie on what is outlined more than boxes of their size at random places do."""
        return _above(self.differences[RANDOM]["box_iou"])

    @property
    def better_than_middle(self) -> bool:
        """Whether they do more than a box in the middle."""
        return _above(self.differences[MIDDLE]["box_iou"])


def judge(
    marks: Sequence[Marked],
    methods: Sequence[str],
    *,
    choosing: Sequence[Marked] | None,
    seed: int,
    replicates: int = 2000,
) -> Judged:
    """Judge boxes on images that their share was not chosen by.

    Parameters
    ----------
    marks : sequence of Marked
        At least one.
    methods : sequence of str
    choosing : sequence of Marked or None
        See `choices`.
    seed : int
        Of the bootstrap over patients.
    replicates : int

    Notes
    -----
    ``pointing`` is the share of images whose map is highest inside the outline; ``box_iou`` the mean intersection over
    union of boxes, ``box_half`` the share of images where it is at least one half, ``region_iou`` that of the piece
    and the outlined region. Higher is better. `RANDOM` is a box of the chosen one's size at a random place (and a
    random place for pointing): expected values, and no share of `box_half`. The box in the middle has the size that
    fits the choosing images best, and the map of grey values the sign and share that do.
    """
    ways: dict[str, Sequence[str]] = {CHOSEN: methods, **{m: (m,) for m in methods}, MIDDLE: (MIDDLE,), GREY: GREYS}
    picked = {name: choices(marks, own, choosing) for name, own in ways.items()}
    rows = {name: _rows(marks, picked[name]) for name in ways}
    rows[RANDOM] = _random_rows(marks, picked[CHOSEN])
    patients = np.array([m.patient for m in marks])
    figures = {
        name: {
            key: _figure(bootstrap(_mean(values), patients, rng=stream(seed, "boxes"), replicates=replicates, name=key))
            for key, values in own.items()
        }
        for name, own in rows.items()
    }
    differences = {
        name: {
            key: _figure(
                paired_bootstrap(
                    _mean(rows[CHOSEN][key]),
                    _mean(values),
                    patients,
                    rng=stream(seed, "boxes"),
                    replicates=replicates,
                    name=key,
                )
            )
            for key, values in rows[name].items()
        }
        for name in (RANDOM, MIDDLE, GREY)
    }
    return Judged(figures, differences, picked[CHOSEN])


def _rows(marks: Sequence[Marked], picked: Mapping[int, Choice]) -> dict[str, Float64Array]:
    own = [_own(m, picked) for m in marks]
    hits = [m.tried[picked[m.group].method].hit for m in marks]
    boxes = np.array([c.box_iou for c in own], dtype=np.float64)
    return {
        "pointing": np.array(hits, dtype=np.float64),
        "box_iou": boxes,
        "box_half": (boxes >= HALF).astype(np.float64),
        "region_iou": np.array([c.region_iou for c in own], dtype=np.float64),
    }


def _random_rows(marks: Sequence[Marked], picked: Mapping[int, Choice]) -> dict[str, Float64Array]:
    own = [_own(m, picked) for m in marks]
    return {
        "pointing": np.array([m.tried[picked[m.group].method].chance for m in marks], dtype=np.float64),
        "box_iou": np.array([c.random_box_iou for c in own], dtype=np.float64),
        "region_iou": np.array([c.random_region_iou for c in own], dtype=np.float64),
    }


def _own(mark: Marked, picked: Mapping[int, Choice]) -> Candidate:
    choice = picked[mark.group]
    return mark.tried[choice.method].candidates[choice.place]


def _mean(values: Float64Array) -> Statistic:
    def statistic(weights: Float64Array) -> Float64Array:
        mean: Float64Array = values @ weights / weights.sum(axis=0)
        return mean

    return statistic


def _figure(found: Interval) -> Figure:
    known: BoolArray = np.isfinite([found.value, found.low, found.high])
    note = found.reason or ""
    if isinstance(found, Difference) and np.isfinite(found.p):
        note = f"p = {found.p:.3g}"
    value, low, high = (
        v if k else None for v, k in zip((found.value, found.low, found.high), known.tolist(), strict=True)
    )
    return Figure(value=value, low=low, high=high, note=note)


def _above(difference: Figure) -> bool:
    return difference.low is not None and difference.low > 0
