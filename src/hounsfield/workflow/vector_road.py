"""The road of answers that are a few numbers for each sample."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

from hounsfield.bundle.sealed import BundleContents
from hounsfield.core.audit import Audit
from hounsfield.core.plan import Plan
from hounsfield.core.prediction import Prediction
from hounsfield.core.progress import Progress
from hounsfield.core.report import Report
from hounsfield.core.types import Json
from hounsfield.workflow.evaluating import judged_vector
from hounsfield.workflow.fitting import Fitted, Fold, Hands, assemble, fit_all
from hounsfield.workflow.jobs import Prepared, check_plan, prepare_feed
from hounsfield.workflow.planning import make_plan
from hounsfield.workflow.predicting import predict_vector
from hounsfield.workflow.reports import Ran, report_run
from hounsfield.workflow.roads import Asking, Fed, How
from hounsfield.workflow.study import Source, Study
from hounsfield.workflow.warming import with_beside
from hounsfield.workflow.wishes import Wishes


class Vector:
    """Answers that are a few numbers for each sample."""

    def make_plan(
        self, known: Study, wishes: Wishes, *, work: Path, elapsed: Callable[[], float], progress: Progress
    ) -> tuple[Plan, Fed]:
        """See `hounsfield.workflow.roads.Road`."""
        planned = make_plan(known, wishes, work=work, elapsed=elapsed, progress=progress)
        return planned.plan, planned.prepared

    def check_plan(self, plan: Plan, known: Study) -> None:
        """See `hounsfield.workflow.roads.Road`."""
        check_plan(plan, known.task, known.fingerprint)

    def prepare(self, plan: Plan, known: Study, *, work: Path, progress: Progress) -> Fed:
        """See `hounsfield.workflow.roads.Road`."""
        divided = known.split
        parts = {"train": divided.ids("train"), "val": divided.ids("val")}
        if divided.folds:
            parts = {"train": tuple(divided.folds), "val": ()}
        prepared = prepare_feed(
            known.cohort, plan, known.task, parts=parts, groups=divided.groups, work=work, progress=progress
        )
        fed = with_beside(prepared.feed, plan, known.beside, work=work, progress=progress)
        return replace(prepared, feed=fed)

    def fit(self, plan: Plan, known: Study, fed: Fed, folds: Sequence[Fold], hands: Hands) -> Fitted:
        """See `hounsfield.workflow.roads.Road`."""
        return fit_all(plan, known, cast(Prepared, fed).feed, folds, hands)

    def assemble(
        self,
        plan: Plan,
        known: Study,
        fed: Fed,
        folds: Sequence[Fold],
        *,
        fitted: Fitted,
        progress: Progress,
        notes: Mapping[str, Json],
    ) -> BundleContents:
        """See `hounsfield.workflow.roads.Road`."""
        feed = cast(Prepared, fed).feed
        return assemble(plan, known, feed, folds, fitted=fitted, progress=progress, notes=notes)

    def report(
        self, contents: BundleContents, ran: Ran, *, elapsed: Callable[[], float], progress: Progress
    ) -> tuple[Report, str]:
        """See `hounsfield.workflow.roads.Road`."""
        return report_run(contents, ran, elapsed=elapsed, progress=progress)

    def judged(
        self, contents: BundleContents, source: Source, wishes: Wishes, *, asking: Asking
    ) -> tuple[Report, str, Audit]:
        """See `hounsfield.workflow.roads.Road`."""
        return judged_vector(contents, source, wishes, asking=asking)

    def predict(self, contents: BundleContents, inputs: Sequence[str | Path], *, how: How) -> Iterator[Prediction]:
        """See `hounsfield.workflow.roads.Road`."""
        return predict_vector(contents, inputs, how=how)


VECTOR = Vector()
