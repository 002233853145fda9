"""Which images or signals are explained, and by which members of the ensemble."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np

from hounsfield.bundle.sealed import BundleContents
from hounsfield.core.cohort import Cohort, Sample, TargetSpec
from hounsfield.core.errors import CohortError, HounsfieldError, InputError
from hounsfield.core.prediction import TargetPrediction
from hounsfield.core.progress import Progress
from hounsfield.core.types import Float64Array, TargetValue
from hounsfield.learn.merge import merge_of
from hounsfield.learn.model import Model
from hounsfield.stages.explaining.result import LeftOut
from hounsfield.workflow.asking import ask
from hounsfield.workflow.fitting import NETWORK
from hounsfield.workflow.judging import calibrations, of_model
from hounsfield.workflow.opening import of_fold
from hounsfield.workflow.predictions import say
from hounsfield.workflow.study import study, with_roles
from hounsfield.workflow.tasks import task_named
from hounsfield.workflow.together import judge_each
from hounsfield.workflow.wishes import Wishes

PartName = Literal["test", "cv", "elsewhere", "files"]


@dataclass(frozen=True)
class Gathered:
    """Images that could be explained.

    Parameters
    ----------
    cohort : Cohort
    samples : tuple of Sample
    part : str
        ``test`` or ``cv`` of the bundle's own data, ``elsewhere`` with answers, ``files`` without.
    folds : mapping of str to int
        Fold that each sample was held out of; part ``cv`` only.
    validation : tuple of Sample
        Beside part ``test`` the validation part: what is chosen by it is not chosen by what is judged.
    """

    cohort: Cohort
    samples: tuple[Sample, ...]
    part: PartName
    folds: Mapping[str, int] = field(default_factory=dict)
    validation: tuple[Sample, ...] = ()


@dataclass(frozen=True)
class Case:
    """One image and what the members that may judge it say.

    Parameters
    ----------
    sample : Sample
    fold : int
        -1: all members.
    raw : numpy.ndarray
        Merged raw output of the primary target, ``w``.
    said : TargetPrediction
    flags : tuple of str
    truth : str, float, tuple of str or None
    """

    sample: Sample
    fold: int
    raw: Float64Array
    said: TargetPrediction
    flags: tuple[str, ...]
    truth: TargetValue

    @property
    def called(self) -> TargetValue:
        """What a user is told: by the operating point where there is one."""
        return self.said.at_operating_point or self.said.value

    @property
    def error(self) -> float | None:
        """1 or 0 for wrong or right, or the size of a number's error; None where the answer is unknown."""
        if self.truth is None:
            return None
        if isinstance(self.truth, float) and isinstance(self.said.value, float):
            return abs(self.truth - self.said.value)
        called = self.called
        if isinstance(called, tuple):
            return float(set(called) != set(self.truth if isinstance(self.truth, tuple) else (str(self.truth),)))
        return float(str(called) != str(self.truth))

    @property
    def sure(self) -> float:
        """How sure the model is, 0 to 1; 0 for a number."""
        shares = self.said.probabilities
        if not shares:
            return 0.0
        if isinstance(self.said.value, tuple):
            return float(np.mean([max(p, 1 - p) for p in shares.values()]))
        return float(shares.get(str(self.called), 0.0))


def weights_of(contents: BundleContents, target: TargetSpec) -> list[float]:
    """Return the weight of each member in the merged raw output of a target."""
    merge = merge_of(contents)
    found = merge.whole().get(target.name) if merge is not None else None
    return found if found is not None else [1.0 / len(contents.members)] * len(contents.members)


def gather(contents: BundleContents, inputs: Sequence[Path], wishes: Wishes, *, progress: Progress) -> Gathered:
    """Find out what the inputs are: the bundle's own cohort, other data with answers, or images alone.

    Parameters
    ----------
    contents : BundleContents
    inputs : sequence of Path
    wishes : Wishes
    progress : Progress

    Raises
    ------
    CohortError
        If there is nothing to explain.
    """
    if len(inputs) == 1:
        own = _own_folds(contents, inputs[0], wishes, progress)
        if own is not None:
            return own
        try:
            asked = ask(contents.plan, contents.fingerprint, inputs[0], wishes, progress=progress)
        except CohortError:
            if wishes.target or wishes.labels:
                raise
        else:
            part: PartName = "test" if asked.own else "elsewhere"
            return Gathered(asked.cohort, asked.cohort.samples, part, validation=asked.validation)
    from hounsfield.data.loose import lacking
    from hounsfield.workflow.predicting import cases_in

    names = tuple(contents.fingerprint.inputs)
    cohorts = cases_in(contents, list(inputs), with_roles(wishes, contents.plan.roles).disk_roles, progress)
    if len(cohorts) > 1 and contents.fingerprint.kinds != ("image",):
        raise InputError(
            f"{len(cohorts)} inputs were given.",
            expected="one record, one archive of series, or one folder of them",
            next_step="explain one after the other, or put the records into one folder",
        )
    if len(cohorts) > 1:
        raise InputError(
            f"The inputs are {len(cohorts)} sets of images, some of them DICOM studies.",
            expected="one folder of DICOM studies, or image files",
            next_step="explain one after the other",
        )
    (cohort,) = cohorts
    for sample in cohort.samples:
        missing = lacking(sample, names)
        if missing is not None:
            raise missing
    samples = cohort.samples
    return Gathered(cohort, samples, "files")


def _own_folds(contents: BundleContents, source: Path, wishes: Wishes, progress: Progress) -> Gathered | None:
    """Return the samples of all folds, if the source is what the bundle was trained on in folds."""
    from hounsfield.data.cohorts import digest, understand

    plan = contents.plan
    if not plan.folds:
        return None
    way = with_roles(wishes, plan.roles)
    try:
        cohort = understand(source, way.roles)
    except HounsfieldError:
        return None
    schema = cohort.schema.model_copy(update={"targets": plan.targets})
    if digest(replace(cohort, schema=schema)) != plan.cohort_digest or any(s.part == "test" for s in cohort.samples):
        return None
    known = study(source, replace(way, seed=plan.seed, folds=plan.folds, task=plan.task), progress=progress)
    if known.digest != plan.cohort_digest:
        return None
    return Gathered(known.cohort, known.samples(known.split.folds), "cv", dict(known.split.folds))


def judged(
    contents: BundleContents, gathered: Gathered, *, progress: Progress
) -> tuple[tuple[Case, ...], tuple[LeftOut, ...]]:
    """Predict every image with the members that may judge it.

    Parameters
    ----------
    contents : BundleContents
    gathered : Gathered
    progress : Progress

    Returns
    -------
    (tuple of Case, tuple of LeftOut)
        What can be explained, and what was refused or cannot be read.
    """
    target, task = contents.plan.targets[0], task_named(contents.plan.task)
    fixed = calibrations(contents)
    cases: list[Case] = []
    left: list[LeftOut] = []
    with progress.step("Predicting", float(len(gathered.samples))) as shown:
        for fold in sorted({gathered.folds.get(s.id, -1) for s in gathered.samples}):
            model = Model(of_fold(contents, fold))
            decodings = of_model(fixed, NETWORK, fold).decodings
            samples = [s for s in gathered.samples if gathered.folds.get(s.id, -1) == fold]
            for sample, judgement in zip(samples, judge_each(model, gathered.cohort, samples), strict=True):
                shown.advance()
                if judgement.refusal or not judgement.outputs:
                    left.append(LeftOut(sample=sample.id, reason=judgement.refusal or "cannot be judged"))
                    continue
                said = say(judgement, (target,), task=task, decodings=decodings).targets[target.name]
                truth = sample.targets.get(target.name)
                cases.append(Case(sample, fold, judgement.outputs[target.name], said, judgement.flags, truth))
    return tuple(cases), tuple(left)


def choose(cases: Sequence[Case], number: int) -> tuple[Case, ...]:
    """Return the surest errors and the surest right answers; without answers, the first cases.

    Parameters
    ----------
    cases : sequence of Case
    number : int
        Of each.
    """
    known = [c for c in cases if c.error is not None]
    if not known:
        return tuple(cases[: 2 * number])
    if isinstance(known[0].truth, float):
        order = sorted(known, key=lambda c: -(c.error or 0.0))
        worst = order[: min(number, len(order) // 2)]
        return (*worst, *order[::-1][: min(number, len(order) - len(worst))])
    order = sorted(known, key=lambda c: -c.sure)
    return (*[c for c in order if c.error][:number], *[c for c in order if not c.error][:number])
