"""The document that an explanation of forecasts leaves: ``explain.json``."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from hounsfield.stages.explaining.result import LeftOut


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Question(_Model):
    """What is asked, what is said, and what came.

    Attributes
    ----------
    name : str
    median, low, high : float
        In the variable's unit; low and high are the outermost quantiles.
    below : float or None
        Probability of a value below the limit, where that is asked.
    came : float or None
        Where known.
    least : float
        The smallest move that counts.
    together : float or None
        The median without all stretches that count, at once; None where none does.
    """

    name: str
    median: float
    low: float
    high: float
    below: float | None = None
    came: float | None = None
    least: float
    together: float | None = None


class Moved(_Model):
    """A variable, or a stretch of one, and what the forecast is because of it.

    Attributes
    ----------
    variable : str
    from_h, to_h : float or None
        Hours before the present reading, the earlier one first; None for all of the variable.
    readings : int
    moved : tuple of float
        By how much the median of each question is higher because of it.
    below : tuple of float or None
        By how much the probability of a value below the limit is.
    counts : tuple of bool
        Whether the move of each question is more than a share of the forecast's own doubt.
    """

    variable: str
    from_h: float | None = None
    to_h: float | None = None
    readings: int
    moved: tuple[float, ...]
    below: tuple[float | None, ...] = ()
    counts: tuple[bool, ...]


class ExplainedForecast(_Model):
    """One forecast.

    Attributes
    ----------
    sample : str
    picture : str
        File name of its picture; a number and a hash, no identifier.
    time_h : float
        When the present reading was.
    present : float
        What it was.
    readings : int
        Of the variable up to then.
    variable : str
        What is forecast.
    why : str
        ``last`` (the series ends there), ``miss`` or ``hit``.
    questions : tuple of Question
    wholes, stretches : tuple of Moved
    """

    sample: str
    picture: str
    time_h: float
    present: float
    readings: int
    variable: str
    why: Literal["last", "miss", "hit"]
    questions: tuple[Question, ...]
    wholes: tuple[Moved, ...]
    stretches: tuple[Moved, ...]

    def is_present(self, part: Moved) -> bool:
        """Return whether a part is the reading itself that the forecast starts from, with what moved up to it."""
        return part.variable == self.variable and part.to_h == 0.0

    @property
    def explained(self) -> bool:
        """Whether anything counts beside the present reading."""
        return any(any(m.counts) for m in (*self.wholes, *self.stretches) if not self.is_present(m))


class ForecastExplanations(_Model):
    """All of ``explain.json``.

    Attributes
    ----------
    hounsfield, created, cohort : str
    part : str
        ``test`` of the model's own data, which it has not seen, else ``files``.
    variable, unit : str
    limit : float or None
        A value below this is warned of.
    interval : float
        What the outermost quantiles hold between them, such as .9.
    share : float
        From which share of half that interval on a move counts.
    forecasts : tuple of ExplainedForecast
    series, searched : int
        Series that there are, and of how many of them forecasts to explain were sought.
    left_out : tuple of LeftOut
    seconds : float
    """

    schema_version: Literal[1] = 1
    hounsfield: str
    created: str
    cohort: str
    kind: Literal["forecast"] = "forecast"
    part: Literal["test", "files"]
    variable: str
    unit: str = ""
    limit: float | None = None
    interval: float
    share: float
    forecasts: tuple[ExplainedForecast, ...]
    series: int
    searched: int
    left_out: tuple[LeftOut, ...] = ()
    seconds: float = 0.0
