"""Predict: what a bundle says of new images."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from hounsfield.bundle.atomic import writing
from hounsfield.bundle.sealed import BundleContents
from hounsfield.core.cohort import Cohort, Roles, TargetSpec
from hounsfield.core.errors import HounsfieldError, InputError, RunExistsError
from hounsfield.core.prediction import Prediction
from hounsfield.core.progress import SILENT, Progress
from hounsfield.core.types import Json
from hounsfield.data.layouts.beats import BEATS
from hounsfield.learn.model import Model
from hounsfield.workflow.fitting import NETWORK
from hounsfield.workflow.jobs import preparations_of
from hounsfield.workflow.judging import calibrations
from hounsfield.workflow.opening import open_bundle
from hounsfield.workflow.planning import settle
from hounsfield.workflow.predictions import say_all, table_header, table_row
from hounsfield.workflow.roads import How, road_of
from hounsfield.workflow.study import with_roles
from hounsfield.workflow.tasks import task_named
from hounsfield.workflow.together import judge_samples
from hounsfield.workflow.wishes import Wishes


def predict(
    bundle: str | Path,
    inputs: Sequence[str | Path],
    *,
    out: Path | None = None,
    engine: str | None = None,
    series: str | None = None,
    uncertainty: bool = False,
    progress: Progress = SILENT,
) -> Iterator[Prediction]:
    """Predict files, folders or cohorts, one sample at a time.

    Parameters
    ----------
    bundle : str or Path
        Run folder or bundle.
    inputs : sequence of str or Path
        Image files, folders of images, or anything that `train` understands; answers are not looked at. Where the
        bundle has several inputs the images of a case are found by their names, see `hounsfield.data.loose`; a case
        that lacks one is refused with the reason.
    out : Path or None
        Folder for ``predictions.csv`` and ``predictions.json``, written row by row.
    engine : str or None
        Name in `hounsfield.learn.engines.ENGINES`; if None, the number of samples and the machine decide.
    series : str or None
        Which series of a DICOM study are meant; None takes what the model was trained with.
    uncertainty : bool
        Whether a bundle of the task annotate writes maps of how unsure it is too, and tints the overlays.
    progress : Progress

    Yields
    ------
    Prediction
        In the order of the inputs; unreadable and refused ones with their reason.

    Raises
    ------
    BundleError
        If the bundle cannot be used.
    InputError
        If there is nothing to predict, or maps are asked of a bundle that has none.
    RunExistsError
        If `out` holds predictions already.
    """
    if out is not None:
        there = [n for n in ("predictions.csv", "predictions.json") if (out / n).exists()]
        if there:
            raise RunExistsError(
                f"{' and '.join(there)} exist in the output folder already.",
                expected="a folder without them",
                next_step="choose another --out, or move them away",
            )
    settle(Wishes())
    contents = open_bundle(bundle)
    task = task_named(contents.plan.task)
    if uncertainty and (task.road != "dense" or out is None):
        raise InputError(
            "Maps of uncertainty are asked for, and "
            + ("there is no folder for them." if task.road == "dense" else "the model says nothing of single voxels."),
            expected="--out and a model that was trained with --task annotate",
            next_step="name a folder with --out" if task.road == "dense" else "leave --uncertainty out",
        )
    how = How(out, engine, series, progress, uncertainty)
    yield from road_of(task).predict(contents, inputs, how=how)


def predict_vector(contents: BundleContents, inputs: Sequence[str | Path], *, how: How) -> Iterator[Prediction]:
    """Predict one sample at a time what a few numbers say.

    Parameters
    ----------
    contents : BundleContents
    inputs : sequence of str or Path
    how : How

    Yields
    ------
    Prediction
    """
    out, progress = how.out, how.progress
    targets, task = contents.plan.targets, task_named(contents.plan.task)
    decodings = calibrations(contents)[NETWORK].decodings
    roles = with_roles(Wishes(series=how.series), contents.plan.roles).disk_roles
    cohorts = cases_in(contents, inputs, roles, progress)
    count = sum(len(cohort.samples) for cohort in cohorts)
    if not count:
        kinds = " or ".join(contents.fingerprint.kinds)
        raise InputError(f"There is no {kinds} among the inputs.", expected="files or folders that hold some")
    model = Model(contents, samples=count, engine=how.engine)
    with ExitStack() as stack:
        sinks = _sinks(stack, out, targets) if out is not None else []
        shown = stack.enter_context(progress.step("Predicting", float(count)))
        asked = ((cohort, sample) for cohort in cohorts for sample in cohort.samples)
        for judgements in judge_samples(model, asked):
            for prediction in say_all(judgements, targets, task=task, decodings=decodings):
                for sink in sinks:
                    sink.add(prediction)
                shown.advance()
                yield prediction
        for sink in sinks:
            sink.end()


def cases_in(
    contents: BundleContents, inputs: Sequence[str | Path], roles: Roles, progress: Progress
) -> tuple[Cohort, ...]:
    """Return the cases that paths hold: as the one kind of input finds them, or as data of several kinds lie.

    A model of beats is asked of every beat that is annotated, or found where nobody annotated any.
    """
    from hounsfield.data.kinds.protocol import content_reader
    from hounsfield.workflow.found_beats import with_found_beats

    wanted = {name: spec.wanted for name, spec in preparations_of(contents.plan, contents.fingerprint).items()}
    kinds, of_beats = contents.fingerprint.kinds, contents.fingerprint.anchored
    if len(kinds) == 1 and not (of_beats and kinds[0] == "row"):
        cohorts = content_reader(kinds[0]).loose(inputs, roles, wanted)
    else:
        cohorts = tuple(_explored(path, roles, of_beats=of_beats) for path in inputs)
    if of_beats:
        cohorts = tuple(with_found_beats(cohort, progress=progress) for cohort in cohorts)
    return cohorts


def _explored(path: str | Path, roles: Roles, *, of_beats: bool) -> Cohort:
    """Return the cases of a path; of records that could be asked about several things the beats, where those are meant.

    All of them, whatever classes the model knows: what a beat is has to be found out.
    """
    from hounsfield.data.cohorts import explore

    if of_beats:
        try:
            return explore(path, replace(roles, target=(BEATS,)))
        except HounsfieldError:  # nobody annotated any, or the cohort is described already
            pass
    return explore(path, roles)


class _Table:
    """``predictions.csv``, row by row."""

    def __init__(self, file: BinaryIO, targets: tuple[TargetSpec, ...]) -> None:
        self._file = file
        self._targets = targets
        self._text = io.StringIO()
        self._writer = csv.writer(self._text, lineterminator="\n")
        self._line(table_header(targets, with_truth=False))

    def add(self, prediction: Prediction) -> None:
        self._line([prediction.sample, *table_row(prediction, self._targets)])

    def end(self) -> None:
        pass

    def _line(self, cells: list[str]) -> None:
        self._writer.writerow(cells)
        self._file.write(self._text.getvalue().encode("utf-8"))
        self._text.seek(0)
        self._text.truncate()


_ENCODER = json.JSONEncoder(ensure_ascii=False)


class _Json:
    """``predictions.json``, entry by entry."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._count = 0
        self._file.write(b'{"schema_version": 1, "predictions": [')

    def add(self, prediction: Prediction) -> None:
        self._file.write(b",\n" if self._count else b"\n")
        self._file.write(_ENCODER.encode(prediction_json(prediction)).encode("utf-8"))
        self._count += 1

    def end(self) -> None:
        self._file.write(b"\n]}\n")


def prediction_json(prediction: Prediction) -> Json:
    """Return a prediction as a JSON value."""
    targets: dict[str, Json] = {}
    for name, said in prediction.targets.items():
        value: Json = list(said.value) if isinstance(said.value, tuple) else said.value
        targets[name] = {
            "value": None if prediction.refusal else value,
            "probabilities": {k: float(p) for k, p in said.probabilities.items()},
            "at_operating_point": None if prediction.refusal else said.at_operating_point,
            "pointed_out": None if prediction.refusal or said.pointed_out is None else list(said.pointed_out),
            "set": None if prediction.refusal else said.plausible,
        }
    return {
        "sample": prediction.sample,
        "targets": targets,
        "flags": list(prediction.flags),
        "refusal": prediction.refusal,
    }


def _sinks(stack: ExitStack, out: Path, targets: tuple[TargetSpec, ...]) -> list[_Table | _Json]:
    out.mkdir(parents=True, exist_ok=True)
    table = stack.enter_context(writing(out / "predictions.csv"))
    entries = stack.enter_context(writing(out / "predictions.json"))
    return [_Table(table, targets), _Json(entries)]
