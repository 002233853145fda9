"""Predict: what a bundle marks in new images, handed back as files that open beside them."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np

from hounsfield.bundle.atomic import writing
from hounsfield.bundle.sealed import BundleContents
from hounsfield.core.annotation import Annotation, Source
from hounsfield.core.cohort import Cohort, Sample
from hounsfield.core.errors import HounsfieldError, InputError, RunExistsError
from hounsfield.core.image import Image
from hounsfield.core.prediction import Prediction, TargetPrediction
from hounsfield.core.structures import Structures
from hounsfield.core.types import Json
from hounsfield.data.annotations.files import stem
from hounsfield.data.writers import FOLDERS, TABLES, WRITERS, writer
from hounsfield.science.statistics.segmentation.uncertainty import uncertainty
from hounsfield.workflow.dense.judging import voxel_mm3
from hounsfield.workflow.dense.model import DenseModel, Said, annotation
from hounsfield.workflow.roads import How
from hounsfield.workflow.study import with_roles
from hounsfield.workflow.survey import latest_image
from hounsfield.workflow.wishes import Wishes


@dataclass(frozen=True)
class Marked:
    """What was marked in one case.

    Parameters
    ----------
    prediction : Prediction
        Sizes and qualities, as every command shows them.
    annotations : mapping of str to Annotation
        By target; empty where refused.
    files : mapping of str to str
        By target, what the names of the files written begin with; empty where none are written.
    """

    prediction: Prediction
    annotations: Mapping[str, Annotation] = field(default_factory=dict, repr=False)
    files: Mapping[str, str] = field(default_factory=dict)


def predict_dense(contents: BundleContents, inputs: Sequence[Path], *, how: How) -> Iterator[Prediction]:
    """Mark files, folders or cohorts, one case at a time.

    Parameters
    ----------
    contents : BundleContents
    inputs : sequence of Path
    how : How
        Masks, tables and ``predictions.csv`` are written below its folder.

    Raises
    ------
    RunExistsError
        If the folder holds masks or tables already.

    Yields
    ------
    Prediction
        In the order of the inputs; the value of a class is its size: ml, or pixels where nothing says how large they
        are.
    """
    out = how.out
    if out is not None:
        _refuse_overwriting(out)
    cases = asked_cases(contents, inputs, how.series)
    model = DenseModel(contents, engine=how.engine)
    with ExitStack() as stack:
        table: _Table | None = None
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            columns = [(t, c) for t, one in model.structures.items() for c in one.classes]
            table = _Table(stack.enter_context(writing(out / "predictions.csv")), columns)
        shown = stack.enter_context(how.progress.step("Predicting", float(len(cases))))
        told: list[Json] = []
        for cohort, sample in cases:
            marked = mark(model, cohort, sample, out=out, maps=how.uncertainty)
            if table is not None:
                table.add(marked)
            told.append(prediction_json(marked))
            shown.advance()
            yield marked.prediction
        if out is not None:
            for name in WRITERS:
                writer(name).finish(out)
            with writing(out / "predictions.json") as file:
                file.write(
                    json.dumps({"schema_version": 1, "predictions": told}, ensure_ascii=False, indent=1).encode("utf-8")
                )


def _refuse_overwriting(out: Path) -> None:
    """Refuse a folder that holds masks or tables already: an annotator's own, or those of other cases.

    Raises
    ------
    RunExistsError
        If it does.
    """
    there = [f"{name}/" for name in FOLDERS if (out / name).is_dir() and any((out / name).iterdir())]
    there += [name for name in TABLES if (out / name).exists()]
    if there:
        raise RunExistsError(
            f"The output folder holds {', '.join(there)} already: they would be overwritten or mixed.",
            expected="a folder without them",
            next_step="choose another --out, or move them away",
        )


def asked_cases(contents: BundleContents, inputs: Sequence[Path], series: str | None) -> list[tuple[Cohort, Sample]]:
    """Return the cases that are asked about, each with the images that the model looks at.

    Parameters
    ----------
    contents : BundleContents
    inputs : sequence of Path
    series : str or None

    Raises
    ------
    InputError
        If there is none.
    """
    from hounsfield.data.loose import loose

    roles = with_roles(Wishes(series=series), contents.plan.roles).disk_roles
    cohorts = loose(inputs, roles, _inputs(contents))
    found = [(cohort, sample) for cohort in cohorts for sample in cohort.samples]
    if not found:
        raise InputError("There is no image among the inputs.", expected="image files or folders that hold some")
    return found


def _inputs(contents: BundleContents) -> tuple[str, ...]:
    value = contents.plan.value("preparation", "channels")
    return tuple(str(n) for n in value) if isinstance(value, dict) else ()


def images_of(model: DenseModel, cohort: Cohort, sample: Sample) -> dict[str, Image]:
    """Return the images of a case that a model looks at.

    Raises
    ------
    HounsfieldError
        If one is missing or cannot be read.
    """
    from hounsfield.data.loose import lacking

    missing = lacking(sample, model.inputs)
    if missing is not None:
        raise missing
    return {name: latest_image(cohort, sample, name) for name in model.inputs}


def mark(model: DenseModel, cohort: Cohort, sample: Sample, *, out: Path | None, maps: bool = False) -> Marked:
    """Mark one case, and write what was marked.

    Parameters
    ----------
    model : DenseModel
    cohort : Cohort
    sample : Sample
    out : Path or None
    maps : bool
        Whether how unsure the model is is written for every voxel.
    """
    try:
        images = images_of(model, cohort, sample)
        outcome = model.outcome(images)
    except HounsfieldError as error:
        return Marked(Prediction(sample.id, refusal=error.line()))
    first = images[model.inputs[0]]
    targets: dict[str, TargetPrediction] = {}
    annotations: dict[str, Annotation] = {}
    flags = list(outcome.flags)
    for name, said in outcome.said.items():
        structures = model.structures[name]
        sizes, unit = _sizes(said, structures, first)
        expected = [q for q in said.quality if q is not None]
        unsure = uncertainty(said.probabilities, exclusive=structures.layout == "exclusive", keep=maps)
        targets[name] = TargetPrediction(
            value=float(sum(sizes.values())),
            expected_dice=float(np.mean(expected)) if expected else None,
            uncertainty=unsure.mean,
            sizes=sizes,
            size_unit=unit,
        )
        if not outcome.refusal:
            annotations[name] = replace(annotation(said, structures, first), uncertainty=unsure.values)
    prediction = Prediction(sample.id, targets, tuple(flags), outcome.refusal)
    if out is not None:
        ref = sample.inputs[model.inputs[0]][-1].ref
        called = names_of(sample.id, tuple(annotations))
        for name, made in annotations.items():
            several = name if len(annotations) > 1 else ""
            flags += _write(made, Source(called[name], cohort, ref, first, target=several), out)
        prediction = Prediction(sample.id, targets, tuple(flags), outcome.refusal)
        return Marked(prediction, annotations, {name: stem(text) for name, text in called.items()})
    return Marked(prediction, annotations)


def names_of(sample: str, targets: Sequence[str]) -> dict[str, str]:
    """Return what the answers of a sample are called, target by target, before `stem` makes file names of them."""
    return {t: sample if len(targets) == 1 else f"{sample}__{t}" for t in targets}


def _write(made: Annotation, source: Source, out: Path) -> list[str]:
    """Write an annotation in every format that can hold it; return why others cannot, where that is worth a word."""
    flags = []
    for name in WRITERS:
        one = writer(name)
        reason = one.accepts(made, source)
        if not reason:
            try:
                one.write(made, source, out)
            except InputError as error:
                flags.append(f"not written as {name}: {error.found}")  # the other formats and cases go on
        elif source.ref.reader == "dicom":
            flags.append(f"not written as {name}: {reason}")
    return flags


def _sizes(said: Said, structures: Structures, image: Image) -> tuple[dict[str, float], str]:
    """Return the size of each class, and its unit: ml of volumes that say how they lie, else voxels."""
    placed = image.grid is not None and image.ndim == 3
    factor = voxel_mm3(image) / 1000.0 if placed else 1.0
    sizes = {cls: float(m.sum()) * factor for cls, m in zip(structures.classes, said.masks, strict=True)}
    return sizes, "ml" if placed else "voxels"


class _Table:
    """``predictions.csv``, row by row."""

    def __init__(self, file: BinaryIO, columns: Sequence[tuple[str, str]]) -> None:
        self._file = file
        self._columns = columns
        several = len(columns) > 1
        self._targets = tuple(dict.fromkeys(t for t, _ in columns))
        heads = [f"size:{t}/{c}" if several else "size" for t, c in columns]
        for name in ("expected_dice", "uncertainty"):
            heads += [f"{name}:{t}" if len(self._targets) > 1 else name for t in self._targets]
        files = [f"file:{t}" if len(self._targets) > 1 else "file" for t in self._targets]
        self._line(["sample", *files, *heads, "flags", "refusal"])

    def add(self, marked: Marked) -> None:
        """Write one row."""
        prediction = marked.prediction
        cells = [marked.files.get(t, "") for t in self._targets]
        for target, cls in self._columns:
            said = prediction.targets.get(target)
            cells.append("" if said is None or prediction.refusal else f"{said.sizes[cls]:.6g}")
        own = [None if prediction.refusal else prediction.targets.get(t) for t in self._targets]
        for value in (*[s and s.expected_dice for s in own], *[s and s.uncertainty for s in own]):
            cells.append("" if value is None else f"{value:.4f}")
        self._line([prediction.sample, *cells, "; ".join(prediction.flags), prediction.refusal])

    def _line(self, cells: list[str]) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerow(cells)
        self._file.write(text.getvalue().encode("utf-8"))


def prediction_json(marked: Marked) -> Json:
    """Return what was marked in a case as a JSON value."""
    prediction = marked.prediction
    return {
        "sample": prediction.sample,
        "targets": {
            name: {
                "file": marked.files.get(name),
                "sizes": {} if prediction.refusal else {k: float(v) for k, v in said.sizes.items()},
                "unit": said.size_unit,
                "expected_dice": None if prediction.refusal else said.expected_dice,
                "uncertainty": None if prediction.refusal else said.uncertainty,
            }
            for name, said in prediction.targets.items()
        },
        "flags": list(prediction.flags),
        "refusal": prediction.refusal,
    }
