"""What is told of forecasts, as data."""

from pydantic import BaseModel, ConfigDict

from hounsfield.core.report import Figure


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MethodFigures(_Told):
    """How one method does on one question; every interval from patients drawn again.

    Attributes
    ----------
    mae : Figure
        Mean absolute error of the median, in the target's unit.
    pinball : Figure
        Mean pinball loss over all levels.
    level : float
        What the outermost quantiles should cover.
    coverage, coverage_half : Figure
        Share of truths between the outermost quantiles, and between the quartiles.
    width : float or None
        Mean width of the outermost interval.
    under : dict of str to float
        Level to the share of truths at or under that quantile.
    """

    mae: Figure
    pinball: Figure
    level: float
    coverage: Figure
    coverage_half: Figure | None = None
    width: float | None = None
    under: dict[str, float] = {}


class OutcomeFigures(_Told):
    """One question.

    Attributes
    ----------
    name : str
    questions, patients : int
        How often it was asked with an answer that is known, and of how many.
    methods : dict of str to MethodFigures
    best_baseline : str
        The baseline with the smallest mean absolute error on the judged part itself: the hardest one.
    saved : Figure or None
        Share of its mean absolute error that the judged method saves.
    less : dict of str to Figure
        Baseline to the judged method's mean absolute error less the baseline's, paired: below 0 is better.
    coverage_by : dict of str to Figure
        Coverage of the judged method's outermost interval among some of the questions.
    """

    name: str
    questions: int
    patients: int
    methods: dict[str, MethodFigures]
    best_baseline: str = ""
    saved: Figure | None = None
    less: dict[str, Figure] = {}
    coverage_by: dict[str, Figure] = {}


class RatePoint(_Told):
    """Warnings at one rate of false alarms.

    Attributes
    ----------
    per_hour : float
        False alarms per hour outside of episodes, of hours at which one could be judged.
    sensitivity : Figure
        Share of onsets warned of.
    precision : float or None
        Share of alarms that an onset followed.
    lead_h, lead_quartiles_h
        Median and quartiles of the time from warning to onset, hours.
    fixed_threshold, fixed_sensitivity, fixed_per_hour : float or None
        The threshold that gave this rate on the held-out part, and what it gives here.
    """

    per_hour: float
    sensitivity: Figure
    precision: float | None = None
    lead_h: float | None = None
    lead_quartiles_h: tuple[float | None, float | None] = (None, None)
    fixed_threshold: float | None = None
    fixed_sensitivity: float | None = None
    fixed_per_hour: float | None = None


class WarningFigures(_Told):
    """Warnings of one horizon; see `hounsfield.science.statistics.warning`.

    Attributes
    ----------
    name : str
    below : float
        A reading below this is the event.
    onsets, unforeseen : int
        Onsets that could be warned of, and those before which there was no reading within the horizon.
    again : int
        Of the onsets that could be warned of, those within a horizon of the episode before.
    hours : float
        Hours outside of episodes at which an alarm could be judged.
    at : dict of str to list of RatePoint
        By method, at each rate that an alarm which always stands would not keep.
    chance : list of float or None
        Sensitivity of alarms at random at the same rates.
    curves : dict of str to list of (float, float)
        By method: false alarms per hour, sensitivity.
    """

    name: str
    below: float
    onsets: int
    unforeseen: int
    again: int = 0
    hours: float
    at: dict[str, list[RatePoint]]
    chance: list[float | None] = []
    curves: dict[str, list[tuple[float, float]]] = {}


class ForecastFigures(_Told):
    """Everything that is told of forecasts of one variable.

    Attributes
    ----------
    method : str
        The judged method.
    unit : str
    series : int
    outcomes : list of OutcomeFigures
    warnings : list of WarningFigures
    """

    method: str
    unit: str
    series: int
    outcomes: list[OutcomeFigures]
    warnings: list[WarningFigures] = []
