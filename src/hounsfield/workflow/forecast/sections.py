"""The sections of a forecast's plan as models, and what a learner is asked for by them."""

from pydantic import BaseModel, ConfigDict, Field

from hounsfield.core.errors import PlanError
from hounsfield.core.plan import Plan
from hounsfield.learn.forecast.learner import Request
from hounsfield.learn.forecast.spec import LEVELS, EchoOptions, ForecastOptions, TreeOptions, fault_of_levels
from hounsfield.learn.loop import Optimisation
from hounsfield.science.forecasting.outcomes import Outcome
from hounsfield.workflow.forecast.courses import Shape

NO_LIMIT = 1e30


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ForecastSection(_Section):
    """What is asked.

    Attributes
    ----------
    variable : str
    asked : tuple of Outcome
    below : float or None
        A reading below this is warned of.
    levels : tuple of float
    """

    variable: str
    asked: tuple[Outcome, ...] = Field(min_length=1)
    below: float | None = None
    levels: tuple[float, ...]


class PreparationSection(_Section):
    """How series are read.

    Attributes
    ----------
    variables : tuple of str
    units : tuple of str
        One for each variable; empty in older plans: values are taken as they come.
    unit : str
        Of the forecast variable.
    low, high : float or None
    between : (str, str) or None
        Two variables that the forecast one lies between.
    times : bool
    rate_hz : float or None
    most_steps : int
    """

    variables: tuple[str, ...] = Field(min_length=1)
    units: tuple[str, ...] = ()
    unit: str = ""
    low: float | None = None
    high: float | None = None
    between: tuple[str, str] | None = None
    times: bool
    rate_hz: float | None = None
    most_steps: int = Field(ge=2)


class LineSection(_Section):
    """What the network starts from.

    Attributes
    ----------
    company : bool
        Whether it may hear the other variables.
    """

    company: bool = True


class BaselinesSection(_Section):
    """Cheap forecasts beside the network.

    Attributes
    ----------
    names : tuple of str
    lags : int
    """

    names: tuple[str, ...] = ()
    lags: int = Field(ge=1)


def forecast_of(plan: Plan) -> ForecastSection:
    """Return what is asked."""
    return plan.section("forecast", ForecastSection)


def shape_of(plan: Plan) -> Shape:
    """Return how a sample becomes a course."""
    own, asked = plan.section("preparation", PreparationSection), forecast_of(plan)
    return Shape(own.variables, asked.variable, own.unit, own.rate_hz, own.most_steps, own.units)


def request_of(plan: Plan) -> Request:
    """Return what the learner is asked for.

    Raises
    ------
    PlanError
        If a section does not fit its model.
    """
    own, asked = plan.section("preparation", PreparationSection), forecast_of(plan)
    line = plan.section("line", LineSection) if "line" in plan.sections else LineSection(company=False)
    return Request(
        variables=own.variables,
        target=own.variables.index(asked.variable) if asked.variable in own.variables else len(own.variables),
        asked=asked.asked,
        unit=own.unit,
        times=own.times,
        lags=plan.section("baselines", BaselinesSection).lags,
        low=own.low if own.low is not None else -NO_LIMIT,
        high=own.high if own.high is not None else NO_LIMIT,
        between=_rows(own),
        company=line.company,
        levels=asked.levels,
        options=plan.section("network", ForecastOptions),
        echo=plan.section("echo", EchoOptions) if "echo" in plan.sections else EchoOptions(),
        trees=plan.section("trees", TreeOptions) if "trees" in plan.sections else TreeOptions(),
    )


def _rows(own: PreparationSection) -> tuple[int, int] | None:
    if own.between is None:
        return None
    missing = [name for name in own.between if name not in own.variables]
    if missing:
        raise PlanError(
            f"The plan's preparation.between names {missing[0]!r}, which is none of its variables.",
            expected=", ".join(own.variables[:20]),
            next_step="correct preparation.between in plan.yaml, or set it to null",
        )
    return own.variables.index(own.between[0]), own.variables.index(own.between[1])


def optimisation_of(plan: Plan) -> Optimisation:
    """Return how the network is optimised."""
    return plan.section("optimisation", Optimisation)


def check_forecast(plan: Plan) -> None:
    """Check every section against its model.

    Raises
    ------
    PlanError
        If one does not fit, the forecast variable is none of the variables, not each of them has its unit, levels are
        not symmetric, or a question is asked twice.
    """
    request = request_of(plan)
    optimisation_of(plan)
    fault = fault_of_levels(request.levels)
    if fault:
        raise PlanError(
            f"The plan's forecast.levels {fault}.",
            expected=f"rising levels, symmetric about .5, such as {', '.join(f'{v:g}' for v in LEVELS)}",
            next_step="correct forecast.levels in plan.yaml",
        )
    if len({outcome.name for outcome in request.asked}) < len(request.asked):
        raise PlanError(
            "The plan's forecast.asked holds a question twice.",
            expected="each question once",
            next_step="take one of them out of plan.yaml",
        )
    if request.target >= len(request.variables):
        raise PlanError(
            f"The plan forecasts {forecast_of(plan).variable!r}, which is none of its variables.",
            expected=", ".join(request.variables[:20]),
            next_step="correct forecast.variable or preparation.variables in plan.yaml",
        )
    units = shape_of(plan).units
    if units and len(units) != len(request.variables):
        raise PlanError(
            f"The plan has {len(units)} units for {len(request.variables)} variables.",
            expected='one for each, "" where not known',
            next_step="correct preparation.units in plan.yaml",
        )
