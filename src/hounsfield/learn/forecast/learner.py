"""Fitting a forecaster: a line, a network around it, and calibration on held-out series."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from hounsfield.core.errors import InputError
from hounsfield.core.streams import address, stream
from hounsfield.core.types import AnyArray, Float64Array, IntArray
from hounsfield.learn.batch import Batch
from hounsfield.learn.forecast.choosing import Tried, calibrated
from hounsfield.learn.forecast.forecaster import Forecaster, raw_quantiles
from hounsfield.learn.forecast.network import ForecastNetwork, build
from hounsfield.learn.forecast.preparing import (
    Arrays,
    believed,
    clean,
    echoed,
    fit_scaling,
    heard,
    prepare,
    towards,
)
from hounsfield.learn.forecast.spec import LEVELS, EchoOptions, ForecastOptions, ForecastSpec, TreeOptions
from hounsfield.learn.forecast.trees import grow_trees
from hounsfield.learn.loop import Loop, Optimisation, Phase, Trained, Watch, run
from hounsfield.learn.losses.base import Loss, combine
from hounsfield.learn.losses.pinball import labelled, loss
from hounsfield.learn.ranks import Ranks
from hounsfield.science.forecasting.autoregression import Autoregression
from hounsfield.science.forecasting.company import Line, fit_line
from hounsfield.science.forecasting.course import Course
from hounsfield.science.forecasting.outcomes import Outcome, truths

NAME = "forecast"
ECHO_SHARES = (0.0, 0.25, 0.5, 0.75, 0.9, 1.0)
SORTED = 16
"""Batches whose series are sorted by length together: fewer steps are padding, and the order stays random."""


@dataclass(frozen=True)
class Request:
    """What is to be forecast.

    Parameters
    ----------
    variables : tuple of str
        c variables of every course.
    target : int
        The one that is forecast.
    asked : tuple of Outcome
    unit : str
    times : bool
        Whether times are irregular.
    lags : int
        Look-back of the autoregression, in readings.
    low, high : float
        Readings of the target outside are not measured.
    between : (int, int) or None
        Variables that a reading of the target lies between, else it is not measured.
    company : bool
        Whether the line hears the other variables too, where that helps.
    levels : tuple of float
    options : ForecastOptions
    trees : TreeOptions
    echo : EchoOptions
    """

    variables: tuple[str, ...]
    target: int
    asked: tuple[Outcome, ...]
    unit: str = ""
    times: bool = True
    lags: int = 8
    low: float = -1e30
    high: float = 1e30
    between: tuple[int, int] | None = None
    company: bool = True
    levels: tuple[float, ...] = LEVELS
    options: ForecastOptions = field(default_factory=ForecastOptions)
    trees: TreeOptions = field(default_factory=TreeOptions)
    echo: EchoOptions = field(default_factory=EchoOptions)


@dataclass(frozen=True)
class Fit:
    """A forecaster, and how it was trained.

    Parameters
    ----------
    forecaster : Forecaster
    trained : Trained
    tried : tuple of Tried
        What was chosen from, on the courses to calibrate with.
    """

    forecaster: Forecaster
    trained: Trained
    tried: tuple[Tried, ...] = ()


def draft(train: Sequence[Course], request: Request) -> ForecastSpec:
    """Fit what lies around the network: scaling, the line and the quantiles of its errors.

    Parameters
    ----------
    train : sequence of Course
        Training courses, as they are.
    request : Request

    Raises
    ------
    InputError
        If a question has no known answer in them.
    """
    cleaned = [_plain(course, request) for course in train]
    if not cleaned:
        raise InputError("There is no series to learn from.", expected="training series")
    past = [c.values[request.target, c.readings(request.target)] for c in cleaned]
    came = [truths(c, request.target, request.asked)[c.readings(request.target)] for c in cleaned]
    scaling = fit_scaling(cleaned)
    beside = [heard(c.values, request.target, scaling)[c.readings(request.target)] for c in cleaned]
    alone = Autoregression.fit(past, came, lags=request.lags)
    line = Line(alone.weights, alone.constant, np.zeros((len(request.variables), len(request.asked))))
    if request.company and len(request.variables) > 1:
        line = fit_line(alone, past, beside, came)
    own = Autoregression(line.weights, line.constant)
    said = np.concatenate([own.apply(x) + z @ line.company for x, z in zip(past, beside, strict=True)])
    truth = np.concatenate(came)
    share: tuple[float, ...] = ()
    if request.echo.window:
        echo = np.concatenate([echoed(c, request.target, request.asked, request.echo) for c in cleaned])
        share = _best_share(said, echo, truth)
        said = towards(said, echo, share)
    errors = truth - said
    spread = np.maximum(np.nanmean(np.abs(errors), axis=0), 1e-6)
    start = np.nanquantile(errors / spread, request.levels, axis=0).T
    return ForecastSpec(
        variables=request.variables,
        target=request.target,
        unit=request.unit,
        asked=request.asked,
        levels=request.levels,
        times=request.times,
        low=request.low,
        high=request.high,
        between=request.between,
        scaling=scaling,
        lags=request.lags,
        weights=tuple(tuple(row) for row in line.weights.tolist()),
        constant=tuple(line.constant.tolist()),
        company=tuple(tuple(row) for row in line.company.tolist()) if line.company.any() else (),
        echo=request.echo,
        echo_share=share if any(share) else (),
        scale=tuple(spread.tolist()),
        start=tuple(tuple(row) for row in start.tolist()),
        options=request.options,
        trees=request.trees,
    )


def _best_share(line: Float64Array, echo: Float64Array, truth: Float64Array) -> tuple[float, ...]:
    """Return for each question the share with the least absolute error; nothing of an echo is fitted but this."""
    found = []
    for k in range(truth.shape[1]):
        errors = []
        for share in ECHO_SHARES:
            off = np.abs(truth[:, k] - towards(line[:, k : k + 1], echo[:, k : k + 1], (share,))[:, 0])
            errors.append(float(np.nanmean(off)))
        found.append(ECHO_SHARES[int(np.argmin(errors))])
    return tuple(found)


def fit(
    spec: ForecastSpec, train: Sequence[Course], calibrate: Sequence[Course], *, settings: Optimisation, seed: int,
    watch: Watch | None = None,
) -> Fit:  # fmt: skip
    """Grow trees, train the network, choose between them and calibrate quantiles.

    Returns
    -------
    Fit

    Parameters
    ----------
    spec : ForecastSpec
        From `draft` on the same training courses.
    train, calibrate : sequence of Course
        Of different patients. The second part chooses weights, where `settings` say so, and how far the trees are
        followed, and calibrates.
    settings : Optimisation
    seed : int
    watch : Watch, optional
        Who looks on.

    Raises
    ------
    InputError
        If there are too few answers to calibrate with.
    """
    objective = Forecasting(spec, seed=address(seed, "forecast weights") % 2**63)
    cleaned = [clean(course, spec) for course in train]
    asked_of = [c for c in cleaned if np.isfinite(truths(c, spec.target, spec.asked)).any()]
    learned, held = prepare(asked_of, spec), prepare([clean(c, spec) for c in calibrate], spec)
    feed = Feeding(learned, settings.batch, seed)
    look = watch or Watch()

    def validate(networks: Mapping[str, nn.Module]) -> Mapping[str, float]:
        return {"loss": _mean_loss(cast(ForecastNetwork, networks[NAME]), held, spec)}

    told = Watch(
        store=look.store, brake=look.brake, end=look.end, validate=validate, progress=look.progress,
        observe=look.observe, title=look.title,
    )  # fmt: skip
    trees = grow_trees(spec, asked_of, seed=address(seed, "forecast trees") % 2**31)
    trained = run(objective, feed.batch, settings, watch=told)
    weights = {key: tensor.cpu().numpy() for key, tensor in trained.weights[NAME].items()}
    fresh = Forecaster(spec, weights, np.zeros((len(spec.asked), len(spec.levels))), trees)
    forecaster, tried = calibrated(fresh, calibrate)
    return Fit(forecaster, trained, tried)


def probe(
    spec: ForecastSpec, train: Sequence[Course], settings: Optimisation, *, steps: int, clock: Callable[[], float]
) -> list[float]:
    """Return how long each of a few real steps takes, seconds; the first, which warms up, left out.

    Parameters
    ----------
    spec : ForecastSpec
    train : sequence of Course
    settings : Optimisation
    steps : int
        At least 1.
    clock : callable
        Seconds.
    """
    arrays = prepare([clean(course, spec) for course in train], spec)
    loop, feed = Loop(Forecasting(spec), settings), Feeding(arrays, settings.batch, 0)
    taken = []
    for _ in range(steps + 1):
        began = clock()
        loop.step(feed.batch)
        taken.append(clock() - began)
    return taken[1:]


class Forecasting:
    """The objective: pinball loss over all known answers of a batch.

    Parameters
    ----------
    spec : ForecastSpec
    seed : int
        Of the first weights.
    """

    def __init__(self, spec: ForecastSpec, *, seed: int = 0) -> None:
        self.spec = spec
        self.network = build(spec, seed=seed)

    def networks(self) -> Mapping[str, nn.Module]:
        """See `hounsfield.learn.loop.Objective`."""
        return {NAME: self.network}

    def phases(self) -> tuple[Phase, ...]:
        """See `hounsfield.learn.loop.Objective`."""
        return (Phase(NAME, (NAME,)),)

    def loss(self, phase: Phase, networks: Mapping[str, nn.Module], batch: Batch, ranks: Ranks) -> Loss:
        """See `hounsfield.learn.loop.Objective`."""
        del phase, ranks
        said = networks[NAME](batch.inputs["series"], batch.inputs["said"], batch.context)
        truth = batch.targets["truth"][:, : said.shape[1]]
        return combine({NAME: loss(said, truth, batch.weight, levels=self.spec.levels)})


class Feeding:
    """Batches by number: the same whenever they are asked for.

    Parameters
    ----------
    arrays : Arrays
    size : int
        Series in a batch.
    seed : int
    """

    def __init__(self, arrays: Arrays, size: int, seed: int) -> None:
        self.arrays = arrays
        self.size = min(size, max(1, len(arrays)))
        self.seed = seed
        self.each = max(1, len(arrays) // self.size)
        self._order: tuple[int, list[IntArray]] = (-1, [])

    def batch(self, draw: int) -> Batch:
        """Return the batch of that number."""
        epoch, place = divmod(draw, self.each)
        if self._order[0] != epoch:
            self._order = (epoch, self._divided(epoch))
        rows = self._order[1][place]
        longest = int(self.arrays.lengths[rows].max())
        keys = stream(self.seed, "forecast dropout", epoch, place).integers(0, 2**62, len(rows))

        def tensor(values: AnyArray) -> Tensor:
            return torch.from_numpy(np.ascontiguousarray(values))

        return Batch(
            index=tensor(rows),
            inputs={
                "series": tensor(self.arrays.series[rows, :, :longest]),
                "said": tensor(self.arrays.said[rows, :longest]),
            },
            targets={"truth": tensor(self.arrays.truth[rows, :longest])},
            weight=torch.ones(len(rows)),
            context={"keys": tensor(keys)},
        )

    def _divided(self, epoch: int) -> list[IntArray]:
        rng = stream(self.seed, "forecast order", epoch)
        order = rng.permutation(len(self.arrays))[: self.each * self.size]
        found: list[IntArray] = []
        for first in range(0, len(order), SORTED * self.size):
            chunk = order[first : first + SORTED * self.size]
            chunk = chunk[np.argsort(self.arrays.lengths[chunk], kind="stable")]
            found += [chunk[at : at + self.size].astype(np.int64) for at in range(0, len(chunk), self.size)]
        return [found[i] for i in rng.permutation(len(found))]


def _mean_loss(network: ForecastNetwork, arrays: Arrays, spec: ForecastSpec) -> float:
    network.eval()
    total, mass = 0.0, 0
    for row, said in enumerate(raw_quantiles(network, arrays)):
        truth = torch.from_numpy(arrays.truth[row, : len(said)])
        known = int(labelled(truth).sum())
        if known:
            found = loss(torch.from_numpy(said)[None], truth[None], torch.ones(1), levels=spec.levels)
            total, mass = total + float(found) * known, mass + known
    return total / max(mass, 1)


def _plain(course: Course, request: Request) -> Course:
    return believed(course, request.target, (request.low, request.high), request.between)
