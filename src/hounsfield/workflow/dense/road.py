"""The road of answers for every voxel."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import cast

from hounsfield.bundle.sealed import BundleContents
from hounsfield.core.audit import Audit
from hounsfield.core.plan import Plan
from hounsfield.core.prediction import Prediction
from hounsfield.core.progress import Progress
from hounsfield.core.report import Report
from hounsfield.core.types import Json
from hounsfield.workflow.dense.evaluating import judged_dense
from hounsfield.workflow.dense.fitting import assemble_dense, fit_dense
from hounsfield.workflow.dense.jobs import DensePrepared, check_dense, prepare_dense
from hounsfield.workflow.dense.planning import plan_dense
from hounsfield.workflow.dense.predicting import predict_dense
from hounsfield.workflow.dense.reports import report_dense
from hounsfield.workflow.fitting import Fitted, Fold, Hands
from hounsfield.workflow.reports import Ran
from hounsfield.workflow.roads import Asking, Fed, How
from hounsfield.workflow.study import Source, Study
from hounsfield.workflow.wishes import Wishes


class Dense:
    """Answers for every voxel."""

    def make_plan(
        self, known: Study, wishes: Wishes, *, work: Path, elapsed: Callable[[], float], progress: Progress
    ) -> tuple[Plan, Fed]:
        """See `hounsfield.workflow.roads.Road`."""
        return plan_dense(known, wishes, work=work, elapsed=elapsed, progress=progress)

    def check_plan(self, plan: Plan, known: Study) -> None:
        """See `hounsfield.workflow.roads.Road`."""
        del known
        check_dense(plan)

    def prepare(self, plan: Plan, known: Study, *, work: Path, progress: Progress) -> Fed:
        """See `hounsfield.workflow.roads.Road`."""
        return prepare_dense(plan, known, work=work, progress=progress)

    def fit(self, plan: Plan, known: Study, fed: Fed, folds: Sequence[Fold], hands: Hands) -> Fitted:
        """See `hounsfield.workflow.roads.Road`."""
        return fit_dense(plan, known, cast(DensePrepared, fed), folds, hands)

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
        del notes  # learning curves of other answers
        return assemble_dense(plan, known, cast(DensePrepared, fed), folds, fitted=fitted, progress=progress)

    def report(
        self, contents: BundleContents, ran: Ran, *, elapsed: Callable[[], float], progress: Progress
    ) -> tuple[Report, str]:
        """See `hounsfield.workflow.roads.Road`."""
        return report_dense(contents, ran, elapsed=elapsed, progress=progress)

    def judged(
        self, contents: BundleContents, source: Source, wishes: Wishes, *, asking: Asking
    ) -> tuple[Report, str, Audit]:
        """See `hounsfield.workflow.roads.Road`."""
        return judged_dense(contents, source, wishes, asking=asking)

    def predict(self, contents: BundleContents, inputs: Sequence[str | Path], *, how: How) -> Iterator[Prediction]:
        """See `hounsfield.workflow.roads.Road`."""
        return predict_dense(contents, [Path(p) for p in inputs], how=how)


DENSE = Dense()
