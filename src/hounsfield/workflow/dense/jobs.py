"""From plan and samples to what a dense learner needs."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from hounsfield.core.boxes import Box
from hounsfield.core.cohort import Cohort, Sample, TargetSpec
from hounsfield.core.errors import HounsfieldError, InputError, PlanError, ReadError, case_id, nearest
from hounsfield.core.image import Image
from hounsfield.core.plan import Plan, PlanValue
from hounsfield.core.progress import Progress
from hounsfield.core.structures import Structures
from hounsfield.core.types import AnyArray, IntArray
from hounsfield.data.boxes import READER as BOXES
from hounsfield.data.boxes import boxes_of
from hounsfield.data.masks import read_mask, read_region
from hounsfield.learn.augment.spec import AugmentSpec
from hounsfield.learn.dense.case import prepare_images
from hounsfield.learn.dense.cases import Cases, DenseFeed, Prepared, fill_cases
from hounsfield.learn.dense.job import INPUT, DenseJob, Patches, Terms, layouts
from hounsfield.learn.dense.preparing import DensePreparation, prepare_labels
from hounsfield.learn.dense.window import Windows
from hounsfield.learn.loop import Optimisation
from hounsfield.learn.nn.spec import InputShape, NetworkSpec, OptionValue
from hounsfield.learn.nn.table import DENSE_NETWORKS, check
from hounsfield.workflow.study import Study
from hounsfield.workflow.survey import latest_image

SECTIONS = (
    "preparation",
    "patch",
    "network",
    "loss",
    "augmentation",
    "optimisation",
    "ensemble",
    "prediction",
    "operating_point",
    "baselines",
    "cost",
)


class Answering(BaseModel):
    """The plan's section ``prediction``.

    Attributes
    ----------
    overlap : float
        Share of its edge by which a window overlaps with the next.
    sharpness : float
        Deviation of the Gaussian weights as a share of the edge.
    views : list of str
        Axes along which a mirrored view is judged too.
    engine : str
        Name of an engine, or ``auto``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    overlap: float = Field(default=0.5, ge=0, lt=1)
    sharpness: float = Field(default=0.125, gt=0)
    views: list[str] = []
    engine: str = "auto"


class Together(BaseModel):
    """The plan's section ``ensemble`` of the dense road: networks per fold, and how many are fitted side by side."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    members: int = Field(default=1, ge=1, le=64)
    workers: int = Field(default=1, ge=1)


class Pointed(BaseModel):
    """The plan's section ``operating_point`` of the dense road.

    Attributes
    ----------
    threshold : str
        ``dice``: each case's own where that gains on validation images, else as ``fixed``; ``fixed``: the one with the
        highest mean Dice on validation images; ``half``: one half.
    tolerance_mm : float
        How far a surface may lie from the true one and count as right, for NSD.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    threshold: str = "dice"
    tolerance_mm: float = Field(default=1.0, gt=0)


def structures_of(plan: Plan) -> dict[str, Structures]:
    """Return what is outlined, by target."""
    return {t.name: plan.section(f"structures.{t.name}", Structures) for t in plan.targets}


def windows_of(plan: Plan) -> Windows:
    """Return how a plan covers a case with windows."""
    answering, patches = plan.section("prediction", Answering), plan.section("patch", Patches)
    spec = plan.section("preparation", DensePreparation)
    size = (1, *patches.size) if spec.slices else tuple(patches.size)
    return Windows(size, answering.overlap, answering.sharpness, spec.depth if spec.slices else 0)


def check_dense(plan: Plan) -> None:
    """Check every section of a plan against its schema.

    Raises
    ------
    PlanError
        If a section or a key is unknown (the nearest is named), missing, or does not fit.
    """
    known = [*SECTIONS, *(f"structures.{t.name}" for t in plan.targets)]
    for name in plan.sections:
        if name not in known:
            near = nearest(name, known)
            raise PlanError(
                f"The plan has the unknown section {name!r}.",
                expected=f"one of {', '.join(known)}",
                next_step=f"write {near!r} instead" if near else f"take {name!r} out of plan.yaml",
            )
    plan.section("prediction", Answering)
    plan.section("operating_point", Pointed)
    plan.section("ensemble", Together)
    dense_job_of(plan)


def dense_job_of(plan: Plan, *, member: int = 0) -> DenseJob:
    """Return what of the plan a learner needs.

    Parameters
    ----------
    plan : Plan
    member : int
        Number of the member; members differ in their seed.
    """
    preparation = plan.section("preparation", DensePreparation)
    structures = structures_of(plan)
    patches = plan.section("patch", Patches)
    options = {k: d.value for k, d in plan.sections["network"].items() if k != "family"}
    size = tuple(patches.size)
    network = NetworkSpec(
        family=str(plan.value("network", "family")),
        inputs={INPUT: InputShape(channels=preparation.width, ndim=preparation.axes, size=size)},
        heads={name: one.width for name, one in structures.items()},
        options=cast("dict[str, OptionValue]", options),
    )
    check(network, DENSE_NETWORKS)
    return DenseJob(
        seed=plan.seed * 1000 + member,
        network=network,
        preparation=preparation,
        structures=structures,
        patches=patches,
        augmentation=plan.section("augmentation", AugmentSpec),
        optimisation=plan.section("optimisation", Optimisation),
        terms=plan.section("loss", Terms),
    )


@dataclass(frozen=True)
class DensePrepared:
    """Prepared cases of training and validation samples.

    Parameters
    ----------
    feed : DenseFeed
    ids : tuple of str
        Sample of each row.
    """

    feed: DenseFeed
    ids: tuple[str, ...]

    @property
    def parts(self) -> tuple[IntArray, IntArray]:
        """Rows of the training and of the validation part."""
        return self.feed.train, self.feed.val

    def rows(self, ids: Sequence[str]) -> IntArray:
        """Return the rows of samples."""
        place = {name: row for row, name in enumerate(self.ids)}
        return np.array([place[i] for i in ids], dtype=np.int64)


def read_images(cohort: Cohort, sample: Sample, spec: DensePreparation) -> dict[str, Image]:
    """Return the images of a sample that the network looks at, by input name."""
    return {name: latest_image(cohort, sample, name) for name in spec.channels}


def read_labels(cohort: Cohort, sample: Sample, image: Image, structures: dict[str, Structures]) -> dict[str, AnyArray]:
    """Return a sample's true labels on its image's grid, uint8 ``p ...`` by target; only those it has.

    Raises
    ------
    ReadError
        If a mask cannot be read, does not lie on the image or holds an unknown label.
    """
    return {
        name: one.labels(read_mask(cohort, sample.masks[name], image).array)
        for name, one in structures.items()
        if name in sample.masks
    }


def read_boxes(sample: Sample, target: str) -> tuple[Box, ...] | None:
    """Return the true boxes of a sample; None where a target is no boxes, or has no answer."""
    ref = sample.masks.get(target)
    return boxes_of(ref) if ref is not None and ref.reader == BOXES else None


def prepare_dense(plan: Plan, known: Study, *, work: Path, progress: Progress) -> DensePrepared:
    """Decode training and validation samples into memory maps on the plan's grid.

    Parameters
    ----------
    plan : Plan
    known : Study
    work : Path
        Folder for the memory maps.
    progress : Progress
    """
    divided = known.split
    parts = {"train": divided.ids("train"), "val": divided.ids("val")}
    if divided.folds:
        parts = {"train": tuple(divided.folds), "val": ()}
    wanted = {*parts["train"], *parts["val"]}
    samples = [s for s in known.cohort.samples if s.id in wanted]
    ids = tuple(s.id for s in samples)
    structures = structures_of(plan)
    spec = plan.section("preparation", DensePreparation)
    key = hashlib.sha256(
        json.dumps(
            [ids, spec.model_dump(mode="json"), {k: v.model_dump(mode="json") for k, v in structures.items()}]
        ).encode("utf-8", "surrogatepass")
    ).hexdigest()
    rows = _prepared(known.cohort, samples, spec, structures, progress)
    cases: Cases = fill_cases(work, key, rows, seed=plan.seed, layouts=layouts(structures))
    order = {g: i for i, g in enumerate(dict.fromkeys(divided.groups[i] for i in ids))}
    train, val = set(parts["train"]), set(parts["val"])
    feed = DenseFeed(
        cases,
        np.array([r for r, i in enumerate(ids) if i in train], dtype=np.int64),
        np.array([r for r, i in enumerate(ids) if i in val], dtype=np.int64),
        np.array([order[divided.groups[i]] for i in ids], dtype=np.int64),
    )
    return DensePrepared(feed, ids)


def _prepared(
    cohort: Cohort,
    samples: Sequence[Sample],
    spec: DensePreparation,
    structures: dict[str, Structures],
    progress: Progress,
) -> Iterator[Prepared]:
    with progress.step("Preparing", float(len(samples))) as shown:
        for sample in samples:
            try:
                yield _case(cohort, sample, spec, structures)
            except HounsfieldError as error:
                # the survey read it once already: a label that only some masks hold, or a file that changed meanwhile
                raise InputError(
                    f"Case {case_id(sample.id)} cannot be learned from: {error.found}",
                    expected=error.expected,
                    next_step=error.next_step,
                ) from error
            shown.advance()


def _case(cohort: Cohort, sample: Sample, spec: DensePreparation, structures: dict[str, Structures]) -> Prepared:
    images = read_images(cohort, sample, spec)
    first = images[next(iter(spec.channels))]
    truth = read_labels(cohort, sample, first, structures)
    lacking = [name for name in structures if name not in truth]
    if lacking:
        raise ReadError(f"There is no mask {', '.join(lacking)}.", expected="a mask of every target")
    region = read_region(cohort, sample, first)
    inside = np.ones((1, *first.size), np.uint8) if region is None else region[None].astype(np.uint8)
    whole = Structures(classes=("inside",), layout="one")
    # what is marked outside must not draw patches, nor count in base rates and baselines
    planes = [
        prepare_labels(np.where(inside, truth[name], 0).astype(np.uint8), first, spec, one)
        for name, one in structures.items()
    ]
    planes.append(prepare_labels(inside, first, spec, whole))
    return Prepared(prepare_images(images, spec), np.concatenate(planes))


def named(target: TargetSpec, classes: PlanValue) -> TargetSpec:
    """Return a target with the names of its structures, without the background."""
    names = tuple(str(c) for c in classes) if isinstance(classes, list) else ()
    return target.model_copy(update={"classes": names})
