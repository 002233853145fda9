"""Fit a forecaster and cheap forecasts, and put a bundle together; and open one again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from hounsfield.bundle.sealed import BundleContents, Member
from hounsfield.core.errors import BundleError
from hounsfield.core.plan import Plan
from hounsfield.core.types import AnyArray, Float64Array, Json
from hounsfield.learn.forecast.choosing import Tried
from hounsfield.learn.forecast.forecaster import Forecaster
from hounsfield.learn.forecast.learner import draft, fit
from hounsfield.learn.forecast.spec import ForecastSpec
from hounsfield.learn.model import SELF_TEST
from hounsfield.learn.series.trees import Trees
from hounsfield.science.forecasting import FORECAST_BASELINES
from hounsfield.science.forecasting.cheap import Cheap
from hounsfield.science.forecasting.course import Course
from hounsfield.science.forecasting.lookback import features
from hounsfield.science.forecasting.protocol import Baseline
from hounsfield.workflow.card import card
from hounsfield.workflow.checkpoints import FileStore
from hounsfield.workflow.fitting import TRAINING, Fitted, Fold, Hands
from hounsfield.workflow.forecast.planning import Series
from hounsfield.workflow.forecast.saying import METHOD, fit_baselines
from hounsfield.workflow.forecast.sections import BaselinesSection, forecast_of, optimisation_of, request_of
from hounsfield.workflow.study import Study

LEARNER = "forecast"
TRIED = "tried"
SHARE = "share"
TREES = "trees"
SHIFTS = "shifts"
TOLERANCE = 0.05
"""How far self-test and bundle may differ, as a share of the usual error of the autoregression."""


@dataclass(frozen=True)
class FittedForecast(Fitted):
    """What was fitted, and what was chosen from.

    Parameters
    ----------
    tried : tuple of Tried
        On the validation part.
    """

    tried: tuple[Tried, ...] = ()


def fit_forecast(plan: Plan, series: Series, folds: Sequence[Fold], hands: Hands) -> Fitted:
    """Fit baselines, trees and the network; what a killed run had finished is continued.

    Parameters
    ----------
    plan : Plan
    series : Series
    folds : sequence of Fold
        One: rows to learn and to calibrate.
    hands : Hands
    """
    train, held = series.chosen(folds[0].train), series.chosen(folds[0].val)
    spec = draft(train, request_of(plan))
    names = plan.section("baselines", BaselinesSection).names
    cheap = [one for one in fit_baselines(spec, train, held) if one.name in names]
    store = FileStore(hands.work / f"{METHOD}.safetensors")
    before = store.load()
    made = before[1].get("step") if before is not None and isinstance(before[1], dict) else 0
    began = hands.clock()
    watch = hands.watching(1, METHOD, store)
    found = fit(spec, train, held, settings=optimisation_of(plan), seed=plan.seed, watch=watch)
    steps = found.trained.steps - (made if isinstance(made, int) else 0)
    return FittedForecast(
        tried=found.tried,
        members=(to_member(found.forecaster),),
        baselines={one.name: (to_baseline(one),) for one in cheap},
        history={k: list(v) for k, v in found.trained.history.items()},
        steps=found.trained.steps,
        stopped_by_clock=found.trained.stopped_by_brake,
        seconds_per_step=(hands.clock() - began) / steps if steps > 0 else None,
    )


def assemble_forecast(plan: Plan, known: Study, fitted: Fitted) -> BundleContents:
    """Put everything into one bundle.

    Parameters
    ----------
    plan : Plan
    known : Study
    fitted : Fitted
    """
    forecaster = to_forecaster(fitted.members[0])
    return BundleContents(
        members=fitted.members,
        plan=plan.model_copy(update={"source": ""}),
        fingerprint=known.fingerprint,
        documents={TRAINING: fitted.to_json(), TRIED: told_tried(plan, fitted)},
        arrays={SELF_TEST: {"quantiles": self_test(forecaster)}},
        baselines={f"{name}.0": members[0] for name, members in fitted.baselines.items()},
        card=card(plan, known),
    )


def told_tried(plan: Plan, fitted: Fitted) -> Json:
    """Return what was chosen from as the bundle keeps it: a line for each way, for each question its error."""
    tried = fitted.tried if isinstance(fitted, FittedForecast) else ()
    unit = plan.targets[0].unit
    found: list[Json] = []
    for one in tried:
        line: dict[str, Json] = {"way": f"{one.name}, on the validation part"}
        rows = zip(forecast_of(plan).asked, one.mae, one.pinball, one.chosen, strict=True)
        for outcome, mae, pinball, chosen in rows:
            mark = " (chosen)" if chosen else ""
            line[outcome.name] = f"MAE {mae:.4g} {unit}, pinball loss {pinball:.4g}{mark}"
        found.append(line)
    return found


def self_test(forecaster: Forecaster) -> Float64Array:
    """Return what a forecaster says of a made-up series that nobody was measured for, ``t k q``."""
    spec = forecaster.spec
    times = np.arange(24.0) * 0.5
    middle, spread = np.array(spec.scaling.middle), np.array(spec.scaling.spread)
    phase = np.arange(len(middle))[:, None]
    values = middle[:, None] + spread[:, None] * np.sin(times + phase)
    values[spec.target] = np.clip(values[spec.target], max(spec.low, -1e29), min(spec.high, 1e29))
    return forecaster.quantiles([Course(times, values, float(times[-1]))])[0]


def open_forecaster(contents: BundleContents) -> tuple[Forecaster, tuple[Cheap, ...]]:
    """Return the forecaster of a bundle and the cheap forecasts beside it.

    Raises
    ------
    BundleError
        If something is damaged, or the forecaster does not say what it said when it was sealed.
    """
    if len(contents.members) != 1 or contents.members[0].learner != LEARNER:
        raise _damaged("It holds no forecaster.")
    forecaster = to_forecaster(contents.members[0])
    told = contents.arrays.get(SELF_TEST, {}).get("quantiles")
    found = self_test(forecaster)
    scale = np.array(forecaster.spec.scale)[:, None] * TOLERANCE
    if told is None or told.shape != found.shape or (np.abs(found - told.astype(np.float64)) > scale).any():
        raise _damaged("Its self-test fails: the forecaster does not say what it said when it was sealed.")
    cheap = tuple(to_cheap(name.rsplit(".", 1)[0], member) for name, member in contents.baselines.items())
    return forecaster, cheap


def to_member(forecaster: Forecaster) -> Member:
    """Return a forecaster as a bundle keeps it."""
    arrays: dict[str, AnyArray] = {**forecaster.weights, SHIFTS: forecaster.shifts}
    if any(forecaster.share):
        arrays[SHARE] = np.array(forecaster.share)
        for place, trees in enumerate(forecaster.trees):
            arrays |= trees.arrays(f"{TREES}/{place}")
    return Member(LEARNER, arrays, cast(Json, forecaster.spec.model_dump(mode="json")))


def to_forecaster(member: Member) -> Forecaster:
    """Return what `to_member` kept.

    Raises
    ------
    BundleError
        If it is damaged.
    """
    try:
        spec = ForecastSpec.model_validate(member.json)
    except ValueError as error:
        raise _damaged("The description of its forecaster does not fit.") from error
    kept = (SHIFTS, SHARE)
    weights = {n: a for n, a in member.arrays.items() if n not in kept and not n.startswith(f"{TREES}/")}
    shifts = _shifts(member.arrays, (len(spec.asked), len(spec.levels)))
    if SHARE not in member.arrays:
        return Forecaster(spec, weights, shifts)
    share = np.asarray(member.arrays[SHARE], dtype=np.float64)
    if share.shape != (len(spec.asked),) or not ((share >= 0) & (share <= 1)).all():
        raise _damaged("The share of its trees does not fit.")
    wide = features(len(spec.variables))
    try:
        trees = tuple(Trees.of(member.arrays, f"{TREES}/{k}", features=wide) for k in range(len(spec.asked)))
    except (KeyError, ValueError) as error:
        raise _damaged("Trees are missing.") from error
    if any(one.roots.shape[1] != 1 for one in trees):
        raise _damaged("Its trees answer something else.")
    return Forecaster(spec, weights, shifts, trees, tuple(share.tolist()))


def to_baseline(cheap: Cheap) -> Member:
    """Return a cheap forecast as a bundle keeps it."""
    return Member(cheap.name, {SHIFTS: cheap.shifts}, cheap.baseline.to_json())


def to_cheap(name: str, member: Member) -> Cheap:
    """Return what `to_baseline` kept.

    Raises
    ------
    BundleError
        If it is damaged.
    """
    kind = cast("type[Baseline]", FORECAST_BASELINES.resolve(name))
    return Cheap(name, kind.from_json(member.json), _shifts(member.arrays, None))


def _shifts(arrays: Mapping[str, AnyArray], shape: tuple[int, int] | None) -> Float64Array:
    found = arrays.get(SHIFTS)
    if found is None or found.ndim != 2 or (shape is not None and found.shape != shape):
        raise _damaged("The calibration of a forecast does not fit.")
    return found.astype(np.float64)


def _damaged(found: str) -> BundleError:
    return BundleError(
        f"The bundle cannot be used. {found}",
        expected="a bundle as hu train --task prognose wrote it",
        next_step="copy it again, whole",
    )
