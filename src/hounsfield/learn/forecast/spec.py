"""A forecaster as data: what is asked, how series are prepared, the network."""

from itertools import pairwise
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hounsfield.learn.series.boosting import Boosting
from hounsfield.science.forecasting.echo import Echo
from hounsfield.science.forecasting.outcomes import Outcome

LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
"""Usual quantiles: the outermost two are the 90% interval, the middle one is the forecast."""


def fault_of_levels(levels: tuple[float, ...]) -> str:
    """Return what is wrong with the levels of quantiles, as the end of a sentence; ``""`` for nothing."""
    if len(levels) < 3 or not all(0 < level < 1 for level in levels):
        return "are not at least three shares between 0 and 1"
    if any(a >= b for a, b in pairwise(levels)):
        return "do not rise"
    if 0.5 not in levels:
        return "do not hold .5, the median"
    pairs = zip(levels, reversed(levels), strict=True)
    return "are not symmetric about .5" if any(abs(a + b - 1) > 1e-9 for a, b in pairs) else ""


class ForecastOptions(BaseModel):
    """Options of the recurrent forecaster.

    Attributes
    ----------
    cell : str
        ``gru`` or ``lstm``.
    width, layers : int
        Numbers in the state, and layers on top of one another; always in one direction.
    missing : str
        What a step tells of a variable that was not measured: ``mean`` (the mean: for series without gaps),
        ``carried`` (the value last seen, that it is not new, and how old it is), ``decay`` (GRU-D).
    hidden : int
        Width of the layer between state and quantiles.
    dropout : float
        Share of that layer's inputs dropped while training, the same at all steps.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    cell: Literal["gru", "lstm"] = "gru"
    width: int = Field(default=96, ge=1, le=2048)
    layers: int = Field(default=1, ge=1, le=8)
    missing: Literal["mean", "carried", "decay"] = "carried"
    hidden: int = Field(default=64, ge=1, le=2048)
    dropout: float = Field(default=0.1, ge=0.0, lt=1.0)

    @model_validator(mode="after")
    def _fits_together(self) -> "ForecastOptions":
        if self.missing == "decay" and self.cell != "gru":
            raise ValueError('decay is defined for a GRU: cell must be "gru"')
        return self


class TreeOptions(BaseModel):
    """Options of the trees beside the network (`hounsfield.learn.forecast.trees`).

    Attributes
    ----------
    rounds : int
        At most; fewer where held-out training series want no more. 0: no trees.
    rate : float
        How much of a tree is added.
    leaves, least : int
        Leaves of a tree at most, questions of a leaf at least.
    penalty : float
        On the squared values of leaves.
    rows : int
        Questions that trees are grown on at most; more are thinned out evenly.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    rounds: int = Field(default=0, ge=0, le=5000)
    rate: float = Field(default=0.06, gt=0, le=1)
    leaves: int = Field(default=24, ge=2, le=1024)
    least: int = Field(default=40, ge=1)
    penalty: float = Field(default=1.0, ge=0)
    rows: int = Field(default=60_000, ge=1)

    def boosting(self) -> Boosting:
        """Return how trees are grown."""
        return Boosting(
            rounds=max(1, self.rounds),
            rate=self.rate,
            leaves=self.leaves,
            least=self.least,
            penalty=self.penalty,
            share=1.0,
        )


class EchoOptions(BaseModel):
    """How the past of a series is searched for what looked as the present does.

    Attributes
    ----------
    window : int
        Readings that are compared; 0: it is not searched.
    nearest, memory : int
        See `hounsfield.science.forecasting.echo.Echo`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    window: int = Field(default=0, ge=0, le=10_000)
    nearest: int = Field(default=5, ge=1, le=1000)
    memory: int = Field(default=1000, ge=1, le=20_000)

    def how(self) -> Echo:
        """Return how it is searched."""
        return Echo(self.window, self.nearest, self.memory)


class Scaling(BaseModel):
    """How readings become numbers for a network: ``clip((x - middle) / spread)``.

    Attributes
    ----------
    middle, spread : tuple of float
        Median, and half the distance between the 16th and the 84th percentile, of each variable in the training part.
    clip : float
        Largest distance from the middle in spreads: one impossible reading does not drown the others.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    middle: tuple[float, ...]
    spread: tuple[float, ...]
    clip: float = Field(default=8.0, gt=0)


class ForecastSpec(BaseModel):
    """All of a forecaster but its weights.

    Attributes
    ----------
    variables : tuple of str
        c variables, in the order in which a course has them.
    target : int
        The variable that is forecast.
    unit : str
    asked : tuple of Outcome
        k questions.
    levels : tuple of float
        q levels, rising, symmetric about .5, which is one of them.
    times : bool
        Whether times are irregular, so that the network is told them.
    low, high : float
        Readings of the target outside are not measured (`hounsfield.science.forecasting.course.plausible`).
    between : (int, int) or None
        Two variables that a reading of the target lies between where they were measured at the same time, such as the
        diastolic and the systolic pressure; else it is not measured (`hounsfield.science.forecasting.course.between`).
    scaling : Scaling
    lags, weights, constant
        The line that the network starts from, a linear autoregression: look-back, ``lags k``, ``k``.
    company : tuple of tuple of float
        ``c k``: what that line adds for what was last seen of each variable, standardised; empty for nothing.
    echo, echo_share
        How the past is searched, and how far, 0 to 1, the line of each question is moved to what followed there; empty
        for not at all.
    scale : tuple of float
        k: usual size of that line's error in training; what the network adds is in this unit.
    start : tuple of tuple of float
        ``k q``: quantiles of that error in units of `scale`, with which a fresh network starts.
    options : ForecastOptions
    trees : TreeOptions
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    variables: tuple[str, ...] = Field(min_length=1)
    target: int = Field(ge=0)
    unit: str = ""
    asked: tuple[Outcome, ...] = Field(min_length=1)
    levels: tuple[float, ...] = LEVELS
    times: bool = True
    low: float = -1e30
    high: float = 1e30
    between: tuple[int, int] | None = None
    scaling: Scaling
    lags: int = Field(ge=1, le=10_000)
    weights: tuple[tuple[float, ...], ...]
    constant: tuple[float, ...]
    company: tuple[tuple[float, ...], ...] = ()
    echo: EchoOptions = EchoOptions()
    echo_share: tuple[float, ...] = ()
    scale: tuple[float, ...]
    start: tuple[tuple[float, ...], ...]
    options: ForecastOptions = ForecastOptions()
    trees: TreeOptions = TreeOptions()

    @model_validator(mode="after")
    def _fits_together(self) -> "ForecastSpec":
        k, q, c = len(self.asked), len(self.levels), len(self.variables)
        if self.target >= c or len(self.scaling.middle) != c or len(self.scaling.spread) != c:
            raise ValueError(f"target {self.target} and scaling do not fit {c} variables")
        fault = fault_of_levels(self.levels)
        if fault:
            raise ValueError(f"levels {self.levels}: {fault}")
        shapes = len(self.weights) == self.lags and all(len(row) == k for row in self.weights)
        if not shapes or len(self.constant) != k or len(self.scale) != k or len(self.start) != k:
            raise ValueError(f"the autoregression does not fit {k} questions and {self.lags} lags")
        if self.company and (len(self.company) != c or any(len(row) != k for row in self.company)):
            raise ValueError(f"the line hears {len(self.company)} variables, there are {c} and {k} questions")
        if self.echo_share and (len(self.echo_share) != k or not all(0 <= s <= 1 for s in self.echo_share)):
            raise ValueError(f"echo_share {self.echo_share} must be {k} shares")
        if self.between is not None and not all(0 <= row < c for row in self.between):
            raise ValueError(f"between {self.between} are none of {c} variables")
        if any(len(row) != q for row in self.start) or min(self.scale) <= 0 or min(self.scaling.spread) <= 0:
            raise ValueError("start must have one number for each level, scale and spread must be above 0")
        return self

    @property
    def middle(self) -> int:
        """Return the place of the median among the levels."""
        return self.levels.index(0.5)

    @property
    def ends(self) -> tuple[int, int]:
        """Return the places of the outermost levels."""
        return 0, len(self.levels) - 1
