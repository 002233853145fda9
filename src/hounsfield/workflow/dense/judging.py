"""Cases judged by a sealed bundle, one small row each, and the figures over them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from hounsfield.core.cohort import Cohort, Ref, Sample, TargetSpec
from hounsfield.core.errors import HounsfieldError
from hounsfield.core.image import Image
from hounsfield.core.plan import Plan
from hounsfield.core.progress import Progress
from hounsfield.core.types import AnyArray, BoolArray
from hounsfield.data.masks import read_mask, read_region
from hounsfield.geometry.boxes import boxes_in
from hounsfield.science.statistics.segmentation.box_scores import BoxScores, box_scores
from hounsfield.science.statistics.segmentation.mask_figures import mask_figures
from hounsfield.science.statistics.segmentation.pixel_scores import PixelScores, pixel_scores
from hounsfield.workflow.dense.jobs import Pointed, read_boxes, read_labels
from hounsfield.workflow.dense.model import DenseModel, Outcome, Said
from hounsfield.workflow.dense.pictures import outlined
from hounsfield.workflow.dense.settling import counted, own_boxes
from hounsfield.workflow.survey import latest_image

OBSERVER = "second_reader"
COARSE = 8
"""Bins of a histogram of pixel scores that are joined where there are many cases: 0.018 wide in logit."""
MANY = 150


@dataclass(frozen=True)
class Scores:
    """One target of one case, judged.

    Parameters
    ----------
    figures : mapping of str to mapping
        Class to what `mask_figures` says.
    pixels : mapping of str to PixelScores
        Class to histogram.
    quality : tuple of float or None
        For each class the Dice that the model expected.
    observer : mapping of str to mapping, or None
        The same figures of a second reader.
    beside : mapping of str to mapping
        Baseline to the same figures.
    boxes : mapping of str to BoxScores, or None
        Class to boxes, where boxes are asked for.
    boxes_beside : mapping of str to mapping
        Baseline to the same.
    picture : str
        Base64 PNG of image, truth and prediction.
    """

    figures: Mapping[str, Mapping[str, float]]
    pixels: Mapping[str, PixelScores] = field(repr=False)
    quality: tuple[float | None, ...]
    observer: Mapping[str, Mapping[str, float]] | None = None
    beside: Mapping[str, Mapping[str, Mapping[str, float]]] = field(default_factory=dict)
    boxes: Mapping[str, BoxScores] | None = field(default=None, repr=False)
    boxes_beside: Mapping[str, Mapping[str, BoxScores]] = field(default_factory=dict, repr=False)
    picture: str = field(default="", repr=False)


@dataclass(frozen=True)
class CaseRow:
    """One case, judged.

    Parameters
    ----------
    sample : Sample
    part : str
    fold : int
        Fold that it was held out of, -1 where there are none.
    scores : mapping of str to Scores
        By target; empty where it could not be run or judged.
    flags : tuple of str
    refusal : str
        Why no answer should be given, or why there is none.
    """

    sample: Sample
    part: str
    fold: int
    scores: Mapping[str, Scores]
    flags: tuple[str, ...] = ()
    refusal: str = ""


@dataclass(frozen=True)
class Part:
    """What is judged.

    Parameters
    ----------
    name : str
        ``val``, ``test`` or ``cv``.
    baselines : bool
        Whether the bundle's baselines are judged too.
    folds : mapping of str to int
        Fold of each sample, where it was held out of one.
    """

    name: str
    baselines: bool = False
    folds: Mapping[str, int] = field(default_factory=dict)


def judge_cases(
    model: DenseModel, plan: Plan, cohort: Cohort, samples: Sequence[Sample], *, part: Part, progress: Progress
) -> list[CaseRow]:
    """Predict cases with a sealed bundle and score each at once; no probability map outlives its case.

    Parameters
    ----------
    model : DenseModel
    plan : Plan
    cohort : Cohort
    samples : sequence of Sample
    part : Part
    progress : Progress
    """
    tolerance = plan.section("operating_point", Pointed).tolerance_mm
    join = COARSE if len(samples) > MANY else 1
    rows = []
    with progress.step(f"Predicting {part.name}", float(len(samples))) as shown:
        for sample in samples:
            fold = part.folds.get(sample.id, -1)
            try:
                images = {name: latest_image(cohort, sample, name) for name in model.inputs}
                outcome = model.outcome(images, baselines=model.baselines if part.baselines else ())
                first = images[model.inputs[0]]
                scores = _scored(model, cohort, sample, outcome, first, tolerance=tolerance, join=join)
                rows.append(CaseRow(sample, part.name, fold, scores, outcome.flags, outcome.refusal))
            except HounsfieldError as error:
                rows.append(CaseRow(sample, part.name, fold, {}, (), error.found))
            shown.advance()
    return rows


def _scored(
    model: DenseModel,
    cohort: Cohort,
    sample: Sample,
    outcome: Outcome,
    image: Image,
    *,
    tolerance: float,
    join: int,
) -> dict[str, Scores]:
    truth = read_labels(cohort, sample, image, dict(model.structures))
    region = read_region(cohort, sample, image)
    how = (spacing_of(image), tolerance, region, voxel_mm3(image))
    found = {}
    for name, said in outcome.said.items():
        if name not in truth:
            continue
        structures = model.structures[name]
        right = structures.masks(truth[name])
        other = _other_reader(cohort, sample, name, image, model)
        found[name] = Scores(
            figures=_figures(structures.classes, said.masks, right, how),
            pixels={
                cls: _joined(pixel_scores(p.astype(np.float32), t, region=region), join)
                for cls, p, t in zip(structures.classes, said.probabilities, right, strict=True)
            },
            quality=said.quality,
            beside={
                other_name: _figures(structures.classes, marked[name], right, how)
                for other_name, marked in outcome.beside.items()
            },
            observer=None if other is None else _figures(structures.classes, other, right, how),
            boxes=_boxes(structures.classes, said, sample, name, region),
            boxes_beside={
                other_name: _boxes(structures.classes, _as_boxes(marked[name]), sample, name, region) or {}
                for other_name, marked in outcome.beside.items()
                if said.boxes is not None
            },
            picture=outlined(image, right, said.masks),
        )
    return found


def _boxes(
    classes: Sequence[str], said: Said, sample: Sample, target: str, region: BoolArray | None
) -> dict[str, BoxScores] | None:
    """Return how right the boxes of each class are; None where masks are asked for."""
    truth = read_boxes(sample, target)
    if truth is None or said.boxes is None:
        return None
    found = {}
    for k, (cls, probability) in enumerate(zip(classes, said.probabilities, strict=True)):
        own = own_boxes(said.boxes, k) if region is None else boxes_in(counted(probability, region), cls=k)
        found[cls] = box_scores(own, own_boxes(truth, k), least=said.least[k])
    return found


def _as_boxes(masks: BoolArray) -> Said:
    """Return what a baseline marks as boxes: all of them are handed out."""
    sure = masks.astype(np.float32)
    boxes = tuple(b for k, p in enumerate(sure) for b in boxes_in(p, cls=k))
    return Said(sure, masks, (), boxes, (0.0,) * len(masks))


def _figures(
    classes: Sequence[str],
    said: AnyArray,
    right: AnyArray,
    how: tuple[tuple[float, ...], float, BoolArray | None, float],
) -> dict[str, Mapping[str, float]]:
    spacing, tolerance, region, voxel = how
    return {
        cls: mask_figures(s, t, spacing, tolerance_mm=tolerance, region=region, voxel_mm3=voxel)
        for cls, s, t in zip(classes, said, right, strict=True)
    }


def spacing_of(image: Image) -> tuple[float, ...]:
    """Return the distance of neighbours along each axis, ``y x`` or ``z y x``: mm, or pixels where nothing says it."""
    if image.grid is None:
        return (1.0,) * image.ndim
    x, y, z = image.grid.spacing_mm
    return (z, y, x)[-image.ndim :]


def voxel_mm3(image: Image) -> float:
    """Return the volume of a voxel, exact on a sheared grid (gantry tilt) too; NaN in a plane or at unknown scale."""
    if image.grid is None or image.ndim != 3:
        return math.nan
    return abs(float(np.linalg.det(image.grid.affine_ras[:3, :3])))


def _joined(scores: PixelScores, join: int) -> PixelScores:
    if join == 1:
        return scores
    return PixelScores(scores.inside.reshape(-1, join).sum(axis=1), scores.outside.reshape(-1, join).sum(axis=1))


def _other_reader(cohort: Cohort, sample: Sample, target: str, image: Image, model: DenseModel) -> BoolArray | None:
    """Return a second reader's masks, bool ``k ...``, of a case that has them and whose file can be read."""
    structures = model.structures[target]
    for name, opinion in sample.opinions.items():
        if isinstance(opinion, Ref) and _of_target(name, tuple(model.structures)) == target:
            try:
                return structures.masks(structures.labels(read_mask(cohort, opinion, image).array))
            except HounsfieldError:
                return None  # it says nothing then; what the model marks is judged all the same
    return None


def _of_target(opinion: str, targets: Sequence[str]) -> str:
    """Return the target that an opinion is about by its name: the longest that it begins with, or the only one."""
    if len(targets) == 1:
        return targets[0]
    fitting = [t for t in targets if opinion.casefold().startswith(t.casefold())]
    return max(fitting, key=len, default="")


def judged_rows(rows: Sequence[CaseRow], target: TargetSpec) -> list[CaseRow]:
    """Return the rows that have figures of a target."""
    return [r for r in rows if target.name in r.scores]
