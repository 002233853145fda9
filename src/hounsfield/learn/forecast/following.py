"""Following a live series: one step after the other, with constant memory."""

from collections import deque
from dataclasses import replace

import numpy as np
import torch

from hounsfield.core.errors import InputError
from hounsfield.core.types import Float32Array, Float64Array
from hounsfield.learn.forecast.forecaster import Forecaster, mixed, placed
from hounsfield.learn.forecast.preparing import clean, heard, standardised, towards
from hounsfield.learn.forecast.trees import grown_of
from hounsfield.learn.nn.signal.cells import State
from hounsfield.learn.nn.signal.laying import History
from hounsfield.learn.nn.signal.sequence import Sequence
from hounsfield.science.forecasting.autoregression import Autoregression
from hounsfield.science.forecasting.course import Course
from hounsfield.science.forecasting.echo import echoes
from hounsfield.science.forecasting.lookback import BACK, Lookback
from hounsfield.science.forecasting.outcomes import truths
from hounsfield.science.statistics.quantiles import shifted


class Follower:
    """A forecaster beside one patient: each step in, quantiles out.

    Parameters
    ----------
    forecaster : Forecaster

    Notes
    -----
    After any number of steps it says what the forecaster says of the whole series up to there, up to rounding. Kept are
    the state of the network, the value last seen of each variable, and as many readings as the line looks back at.
    """

    def __init__(self, forecaster: Forecaster) -> None:
        self._forecaster = forecaster
        self._network = forecaster.network()
        spec = forecaster.spec
        self._line = Autoregression(np.array(spec.weights), np.array(spec.constant))
        self.reset()

    def reset(self) -> None:
        """Forget everything: the next step is the first of a series."""
        self._memory: tuple[History, tuple[State, ...]] | None = None
        self._past: deque[float] = deque(maxlen=self._forecaster.spec.lags)
        self._seen = np.full(len(self._forecaster.spec.variables), np.nan)
        self._when = self._seen.copy()
        self._before = self._seen.copy()
        self._behind: deque[tuple[float, float]] = deque(maxlen=BACK)
        echo = self._forecaster.spec.echo
        self._heard: deque[tuple[float, float]] = deque(maxlen=echo.memory + echo.window)
        self._time: float | None = None

    @property
    def kept(self) -> int:
        """Return how many numbers are remembered at present."""
        count = len(self._past) + 3 * len(self._seen) + 2 * (len(self._behind) + len(self._heard))
        if self._memory is not None:
            history, layers = self._memory
            count += sum(t.numel() for t in (history.clock, history.since, history.value))
            count += sum(part.numel() for state in layers for part in state)
        return count

    @torch.inference_mode()
    def feed(self, time_h: float, values: Float64Array) -> Float64Array:
        """Read the next step and answer.

        Parameters
        ----------
        time_h : float
            Hours, from any beginning, after that of the step before.
        values : numpy.ndarray
            ``c`` readings, NaN where a variable was not measured.

        Returns
        -------
        numpy.ndarray
            ``k q`` calibrated quantiles in the target's unit; NaN where the target was not measured now.

        Raises
        ------
        InputError
            If the time does not rise, or there are other variables than in training.
        """
        spec = self._forecaster.spec
        if not np.isfinite(time_h) or (self._time is not None and time_h <= self._time):
            raise InputError(
                "The time of a step does not follow that of the step before.",
                expected="hours that rise from step to step",
                next_step="join what was measured at one time, and feed steps in order",
            )
        if values.shape != (len(spec.variables),):
            raise InputError(
                f"A step has {values.shape} readings.",
                expected=f"({len(spec.variables)},): the variables that were learned from",
                next_step="order the variables as in training, NaN where one was not measured",
            )
        step = clean(Course(np.array([time_h]), values[:, None].astype(np.float64), time_h), spec)
        now = float(step.values[spec.target, 0])
        known = np.isfinite(step.values[:, 0])
        self._seen = np.where(known, step.values[:, 0], self._seen)
        self._when = np.where(known, time_h, self._when)
        line = np.full(len(spec.asked), np.nan)
        if np.isfinite(now):
            self._past.append(now)
            line = self._line.apply(np.array(self._past))[-1]
            if spec.company:
                line = line + heard(self._seen[:, None], spec.target, spec.scaling)[0] @ np.array(spec.company)
            if any(spec.echo_share):
                line = towards(line[None], self._echo(time_h, now)[None], spec.echo_share)[0]
        offsets = self._advance(time_h, step, np.nan_to_num((line - now) / np.array(spec.scale)))
        mix = offsets.astype(np.float64)
        if np.isfinite(now) and any(self._forecaster.share):
            mix = mixed(mix, self._grown(time_h, now), self._forecaster)
        said = placed(mix, line[None], spec)[0]
        return shifted(said, self._forecaster.shifts)

    def _echo(self, time_h: float, now: float) -> Float64Array:
        spec = self._forecaster.spec
        self._heard.append((time_h, now))
        times, values = np.array(self._heard).T
        answers = truths(Course(times, values[None], time_h), 0, spec.asked)
        last = np.array([len(times) - 1])
        found: Float64Array = echoes(times, values, answers, spec.asked, spec.echo.how(), at=last)[0]
        return found

    def _grown(self, time_h: float, now: float) -> Float64Array:
        self._behind.appendleft((time_h, now))
        back = np.full((2, BACK), np.nan)
        back[:, : len(self._behind)] = np.array(self._behind).T
        others = np.arange(len(self._seen)) != self._forecaster.spec.target
        seen, before = self._seen[others], self._before[others]
        self._before = self._seen
        ages = time_h - self._when[others]
        return grown_of(self._forecaster.trees, Lookback(back[:1], back[1:], seen[None], ages[None], before[None]))

    def _advance(self, time_h: float, step: Course, said: Float64Array) -> Float32Array:
        spec = self._forecaster.spec
        first = self._memory is None or self._time is None
        passed = 0.0 if first or self._time is None else (time_h - self._time if spec.times else 1.0)
        self._time = time_h
        values = torch.from_numpy(standardised(step.values, spec.scaling).T.copy())[None]
        observed = values.isfinite()
        sequence = Sequence(
            torch.where(observed, values, 0.0),
            observed,
            torch.tensor([[passed]], dtype=torch.float32),
            torch.tensor([1]),
        )
        told = torch.from_numpy(said.astype(np.float32))[None, None]
        answer, (history, layers) = self._network.advance(sequence, told, self._memory)
        # Clocks are counted from the last step: a float32 that counts for days loses the seconds.
        moved = replace(history, clock=history.clock - passed, since=history.since - passed)
        self._memory = (moved, layers)
        return answer[0].numpy()
