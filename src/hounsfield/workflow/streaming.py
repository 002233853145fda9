"""Predict a live series step by step: what a causal bundle says as a record goes on."""

import csv
import io
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from hounsfield.bundle.atomic import writing
from hounsfield.bundle.sealed import BundleContents
from hounsfield.core.cohort import TargetSpec
from hounsfield.core.errors import HounsfieldError, InputError, RunExistsError
from hounsfield.core.prediction import Prediction
from hounsfield.core.progress import SILENT, Progress
from hounsfield.learn.following import Follower
from hounsfield.learn.model import Judgement, Model, refusal_of
from hounsfield.workflow.fitting import NETWORK
from hounsfield.workflow.forecast.unserved import refuse_forecast
from hounsfield.workflow.judging import calibrations
from hounsfield.workflow.opening import open_bundle
from hounsfield.workflow.planning import settle
from hounsfield.workflow.predicting import cases_in
from hounsfield.workflow.predictions import say, table_header, table_row
from hounsfield.workflow.streaming_sources import Piece, from_lines, from_record, per_answer
from hounsfield.workflow.study import with_roles
from hounsfield.workflow.tasks import task_named
from hounsfield.workflow.wishes import Wishes

TABLE = "stream.csv"
LINES = "-"
"""Instead of a path: samples come as lines."""


@dataclass(frozen=True)
class Said:
    """What is said of a series up to a step.

    Parameters
    ----------
    series : int
        Which series of the record: at a fixed rate a new one begins where the model has learned from no longer one.
    steps : int
        Prepared samples of it that were read.
    time_s : float or None
        Of the last one in the record; None where no time is known.
    prediction : Prediction
        Its flags and refusal are those of the guard, which looks at a series as it ends.
    """

    series: int
    steps: int
    time_s: float | None
    prediction: Prediction


@dataclass(frozen=True)
class StreamWishes:
    """What a user asks of a stream.

    Parameters
    ----------
    every_s : float or None
        Seconds between answers; one after each step of the network if None.
    out : Path or None
        Folder for ``stream.csv``.

    Raises
    ------
    InputError
        If the time is not positive.
    """

    every_s: float | None = None
    out: Path | None = None

    def __post_init__(self) -> None:
        if self.every_s is not None and not self.every_s > 0:
            raise InputError(
                f"--every is {self.every_s}.", expected="seconds, more than 0", next_step="write --every 10"
            )


def stream(
    bundle: str | Path,
    source: str | Path | Iterable[str],
    *,
    asked: StreamWishes = StreamWishes(),
    progress: Progress = SILENT,
) -> Iterator[Said]:
    """Follow records, or lines of samples, and yield what is said after each step.

    Parameters
    ----------
    bundle : str or Path
        Run folder or bundle of a causal plan.
    source : str, Path or iterable of str
        A record or a folder of records, one after the other; or lines, see
        `hounsfield.workflow.streaming_sources.from_lines`.
    asked : StreamWishes
    progress : Progress

    Yields
    ------
    Said

    Raises
    ------
    BundleError
        If the bundle cannot be used.
    PlanError
        If its plan cannot follow a live series, with the reason and what to train instead.
    InputError, ReadError
        If there is nothing to follow, or what comes cannot be read.
    RunExistsError
        If the table exists.

    Notes
    -----
    After any step the answer is that of the series up to there, given at once. Of a record one window at a time is
    held, and of a series the networks' states, however long it is.
    """
    if asked.out is not None and (asked.out / TABLE).exists():
        raise RunExistsError(
            f"{TABLE} exists in the output folder already.",
            expected="a folder without it",
            next_step="choose another --out, or move it away",
        )
    settle(Wishes())
    contents = open_bundle(bundle)
    refuse_forecast(contents, "stream")
    speaker = _Speaker(contents)
    with ExitStack() as stack:
        sink = None
        if asked.out is not None:
            asked.out.mkdir(parents=True, exist_ok=True)
            sink = _Table(stack.enter_context(writing(asked.out / TABLE)), contents.plan.targets)
        for said in speaker.all_of(source, asked, progress):
            if sink is not None:
                sink.add(said)
            yield said


class _Speaker:
    """A bundle that answers piece by piece."""

    def __init__(self, contents: BundleContents) -> None:
        self._contents = contents
        self._follower = Follower(contents)
        self._model = Model(contents)
        self._decodings = calibrations(contents)[NETWORK].decodings
        self._task = task_named(contents.plan.task)

    def all_of(self, source: str | Path | Iterable[str], asked: StreamWishes, progress: Progress) -> Iterator[Said]:
        follower, spec = self._follower, self._follower.preparation
        per = per_answer(spec, follower.frame, asked.every_s)
        if not isinstance(source, str | Path):
            yield from self._series("lines", from_lines(source, spec, per=per))
            return
        roles = with_roles(Wishes(), self._contents.plan.roles).disk_roles
        for cohort in cases_in(self._contents, [source], roles, progress):
            for sample in cohort.samples:
                ref = sample.inputs[follower.name][-1].ref
                yield from self._series(sample.id, from_record(cohort, ref, spec, per=per))

    def _series(self, sample: str, pieces: Iterator[Piece]) -> Iterator[Said]:
        """Answer after each piece; what cannot be read or prepared ends the record with the reason."""
        number, steps = -1, 0
        last: float | None = None
        while True:
            try:
                piece = next(pieces, None)
            except HounsfieldError as error:
                if sample == "lines":
                    raise
                yield Said(max(number, 0), steps, last, Prediction(sample, refusal=refusal_of(error)))
                return
            if piece is None:
                return
            if piece.begins:
                self._follower.reset()
                number, steps = number + 1, 0
            steps, last = steps + piece.steps.shape[1], piece.time_s
            judgement = Judgement(sample, self._follower.feed(piece.steps), {})
            if piece.whole is not None:
                (guarded,) = self._model.judge([(sample, {self._follower.name: piece.whole})])
                judgement = replace(judgement, flags=guarded.flags, refusal=guarded.refusal)
            targets = self._contents.plan.targets
            yield Said(number, steps, last, say(judgement, targets, task=self._task, decodings=self._decodings))


class _Table:
    """``stream.csv``, row by row."""

    def __init__(self, file: BinaryIO, targets: tuple[TargetSpec, ...]) -> None:
        self._file = file
        self._targets = targets
        sample, *rest = table_header(targets, with_truth=False)
        self._line([sample, "series", "steps", "time_s", *rest])

    def add(self, said: Said) -> None:
        time = "" if said.time_s is None else f"{said.time_s:.4f}".rstrip("0").rstrip(".")
        cells = table_row(said.prediction, self._targets)
        self._line([said.prediction.sample, str(said.series), str(said.steps), time, *cells])

    def _line(self, cells: list[str]) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerow(cells)
        self._file.write(text.getvalue().encode("utf-8"))
