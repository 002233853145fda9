"""Figures of mask targets: rows of cases to a part's figures, each with its interval."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from hounsfield.core.report import Baseline, Figure, PartFigures
from hounsfield.core.streams import address, stream
from hounsfield.science.statistics.figures import Figures, bootstrap_figures, paired_figures
from hounsfield.science.statistics.segmentation.box_scores import BoxScores
from hounsfield.science.statistics.segmentation.over_cases import figures_of_masks
from hounsfield.science.statistics.segmentation.pixel_scores import PixelScores
from hounsfield.stages.evaluation.preparing import as_figure, finite_or_none
from hounsfield.stages.evaluation.quality import quality_figures

CaseFigures = Mapping[str, float]


@dataclass(frozen=True)
class MaskRows:
    """Judged cases of one target.

    Parameters
    ----------
    units : tuple of str
        What is drawn with replacement: the patient of each case, or the group that joins patients.
    patients : tuple of str
    figures : mapping of str to sequence
        Class to the figures of every case, see `mask_figures`.
    pixels : mapping of str to sequence of PixelScores, or None
        Class to the histogram of every case.
    quality : mapping of str to sequence of float or None
        Class to the Dice that was expected of every case.
    boxes : mapping of str to sequence of BoxScores, or None
        Class to the boxes of every case, where boxes are asked for.
    folds : tuple of int
        Fold that each case was held out of, -1 where there are none.
    """

    units: tuple[str, ...]
    patients: tuple[str, ...]
    figures: Mapping[str, Sequence[CaseFigures]]
    pixels: Mapping[str, Sequence[PixelScores]] | None = None
    quality: Mapping[str, Sequence[float | None]] = field(default_factory=dict)
    boxes: Mapping[str, Sequence[BoxScores]] | None = None
    folds: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.units)


def judge_masks(rows: MaskRows, *, seed: int, target: str, replicates: int = 1000) -> PartFigures:
    """Judge one target on one part.

    Parameters
    ----------
    rows : MaskRows
    seed : int
        Of the bootstrap.
    target : str
        Name, which addresses the randomness.
    replicates : int
    """
    figures = figures_of_masks(rows.figures, pixels=rows.pixels, boxes=rows.boxes)
    rng = stream(seed, f"bootstrap:{target}:samples")
    found = bootstrap_figures(figures, np.array(rows.units), rng=rng, replicates=replicates)
    holding = {cls: sum(r["tp"] + r["fn"] > 0 for r in own) for cls, own in rows.figures.items()}
    return PartFigures(
        samples=len(rows),
        patients=len(set(rows.patients)),
        metrics={
            **{name: as_figure(value) for name, value in found.items()},
            **_quality(rows, seed=seed, target=target, replicates=replicates),
        },
        folds=_folds(rows),
        classes=holding,
    )


def beside(ours: MaskRows, theirs: MaskRows, *, seed: int, target: str, replicates: int = 1000) -> Baseline:
    """Judge another model on the same cases, and compare.

    Parameters
    ----------
    ours, theirs : MaskRows
        Of the same cases in the same order.
    seed : int
    target : str
    replicates : int
    """
    own = _plain(theirs)
    first = _plain(ours)
    units = np.array(theirs.units)
    found = bootstrap_figures(own, units, rng=stream(seed, f"bootstrap:{target}:samples"), replicates=replicates)
    apart = paired_figures(first, own, units, rng=stream(seed, f"paired:{target}"), replicates=replicates)
    difference = {name: as_figure(value) for name, value in apart.items()}
    main = difference.get("dice" if ours.boxes is None else "box_ap30")
    ties = main is not None and main.low is not None and main.high is not None and main.low <= 0.0 <= main.high
    return Baseline(metrics={name: as_figure(value) for name, value in found.items()}, difference=difference, ties=ties)


def _plain(rows: MaskRows) -> Figures:
    return figures_of_masks(rows.figures, boxes=rows.boxes)


def _quality(rows: MaskRows, *, seed: int, target: str, replicates: int) -> dict[str, Figure]:
    found: dict[str, Figure] = {}
    for cls, expected in rows.quality.items():
        ending = "" if len(rows.quality) == 1 else f":{cls}"
        where = address(seed, f"bootstrap:{target}:quality{ending}")
        own = quality_figures(expected, rows.figures[cls], rows.units, seed=where, replicates=replicates)
        found |= {f"{name}{ending}": figure for name, figure in own.items()}
    return found


def _folds(rows: MaskRows) -> tuple[dict[str, float | None], ...]:
    numbers = sorted(set(rows.folds) - {-1})
    found = []
    for number in numbers:
        places = [n for n, fold in enumerate(rows.folds) if fold == number]
        boxes = None if rows.boxes is None else {cls: [r[n] for n in places] for cls, r in rows.boxes.items()}
        own = figures_of_masks({cls: [r[n] for n in places] for cls, r in rows.figures.items()}, boxes=boxes)
        found.append({name: finite_or_none(v) for name, v in own.values.items() if ":" not in name})
    return tuple(found)
