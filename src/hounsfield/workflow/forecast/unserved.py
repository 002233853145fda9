"""What a bundle of a forecast is not asked for, and what its user does instead."""

from collections.abc import Mapping
from dataclasses import dataclass

from hounsfield.bundle.sealed import BundleContents
from hounsfield.core.errors import BundleError
from hounsfield.workflow.tasks import task_named


@dataclass(frozen=True)
class _Unserved:
    """Why a verb has nothing to do here, what it is for, and what helps instead."""

    why: str
    expected: str
    next_step: str


_UNSERVED: Mapping[str, _Unserved] = {
    "explain": _Unserved(
        "maps over images and signals are of one answer, and a forecast is the quantiles of what comes next",
        "a model of the task classify on images or signals",
        "run hu explain RUN SERIES, or hounsfield.explain: both say what a forecast rests on",
    ),
    "boxes": _Unserved(
        "--boxes puts boxes around findings in images, and a forecaster reads series",
        "a model of the task classify on images",
        "leave --boxes out: hu explain RUN SERIES says what a forecast rests on",
    ),
    "export": _Unserved(
        "an exported file takes one image and gives one answer, and a forecaster reads series of any length and of "
        "irregular times",
        "a model of the task classify on images",
        "install hounsfield where the series are and run hu predict: it writes every quantile to predictions.csv and "
        "predictions.json",
    ),
    "queue": _Unserved(
        "hu queue says which images a person should outline next, and what comes next in a series is in the series "
        "itself: there is nothing to annotate",
        "a model of the task annotate",
        "to learn from more patients, put their series beside the others and run hu train --task prognose again",
    ),
    "deep": _Unserved(
        "--deep asks for embeddings of images, and a forecaster reads series",
        "a model of the task classify on one image",
        "name another model, or measure the series themselves with hu measure",
    ),
    "stream": _Unserved(
        "--stream follows a series with a model that gives one answer at each step, and a forecast of every question "
        "is made of the series up to its last reading",
        "a model of the task classify that was trained with --causal",
        "run hu predict whenever readings were added to the series: it looks at nothing later than the last one",
    ),
}


def refuse_forecast(contents: BundleContents, verb: str) -> None:
    """Do nothing where a bundle is of another task than a forecast.

    Parameters
    ----------
    contents : BundleContents
    verb : str
        ``boxes``, ``export``, ``queue``, ``deep`` or ``stream``.

    Raises
    ------
    BundleError
        If it forecasts: what was found, what the verb is for, what to do instead.
    """
    if task_named(contents.plan.task).road != "series":
        return
    from hounsfield.workflow.forecast.sections import forecast_of

    said = _UNSERVED[verb]
    raise BundleError(
        f"The bundle forecasts {forecast_of(contents.plan).variable}: {said.why}.",
        expected=said.expected,
        next_step=said.next_step,
    )
