"""The road of answers that lie in the future of the series itself."""

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
from hounsfield.workflow.fitting import Fitted, Fold, Hands
from hounsfield.workflow.forecast.fitting import assemble_forecast, fit_forecast
from hounsfield.workflow.forecast.planning import Series, plan_forecast, prepare_forecast
from hounsfield.workflow.forecast.predicting import predict_forecast
from hounsfield.workflow.forecast.reporting import judged_forecast, report_forecast
from hounsfield.workflow.forecast.sections import check_forecast
from hounsfield.workflow.reports import Ran
from hounsfield.workflow.roads import Asking, Fed, How
from hounsfield.workflow.study import Source, Study
from hounsfield.workflow.wishes import Wishes


class Forecasts:
    """Answers that come after every step of a series."""

    def make_plan(
        self, known: Study, wishes: Wishes, *, work: Path, elapsed: Callable[[], float], progress: Progress
    ) -> tuple[Plan, Fed]:
        """See `hounsfield.workflow.roads.Road`."""
        return plan_forecast(known, wishes, work=work, elapsed=elapsed, progress=progress)

    def check_plan(self, plan: Plan, known: Study) -> None:
        """See `hounsfield.workflow.roads.Road`."""
        del known
        check_forecast(plan)

    def prepare(self, plan: Plan, known: Study, *, work: Path, progress: Progress) -> Fed:
        """See `hounsfield.workflow.roads.Road`."""
        del work
        return prepare_forecast(plan, known, progress=progress)

    def fit(self, plan: Plan, known: Study, fed: Fed, folds: Sequence[Fold], hands: Hands) -> Fitted:
        """See `hounsfield.workflow.roads.Road`."""
        del known
        return fit_forecast(plan, cast(Series, fed), folds, hands)

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
        del fed, folds, progress, notes  # calibrated while it was fitted
        return assemble_forecast(plan, known, fitted)

    def report(
        self, contents: BundleContents, ran: Ran, *, elapsed: Callable[[], float], progress: Progress
    ) -> tuple[Report, str]:
        """See `hounsfield.workflow.roads.Road`."""
        return report_forecast(contents, ran, elapsed=elapsed, progress=progress)

    def judged(
        self, contents: BundleContents, source: Source, wishes: Wishes, *, asking: Asking
    ) -> tuple[Report, str, Audit]:
        """See `hounsfield.workflow.roads.Road`."""
        return judged_forecast(contents, source, wishes, asking=asking)

    def predict(self, contents: BundleContents, inputs: Sequence[str | Path], *, how: How) -> Iterator[Prediction]:
        """See `hounsfield.workflow.roads.Road`."""
        return predict_forecast(contents, inputs, how=how)


SERIES = Forecasts()
