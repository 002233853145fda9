"""The network: recurrent layers in one direction, and quantiles at every step, around a linear autoregression."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from hounsfield.learn.forecast.spec import ForecastSpec
from hounsfield.learn.nn.dropping import SteadyDropout
from hounsfield.learn.nn.signal.laying import History, lay
from hounsfield.learn.nn.signal.recurrence import Recurrence
from hounsfield.learn.nn.signal.sequence import Sequence, read

PER_HOUR = 60.0
"""Gaps are told as ``log(1 + minutes) / 4`` where the clock counts hours: five minutes and an hour lie apart."""
LEAST_RISE = 1e-3


class ForecastNetwork(nn.Module):
    """Quantiles of what comes, in units of the autoregression's usual error, relative to what it says.

    Parameters
    ----------
    spec
        The forecaster.

    Notes
    -----
    A fresh network says what the linear autoregression says, with the quantiles of its errors: the last layer starts
    with weights of 0. The quantiles of one step never cross: those over the median are sums of positive numbers
    (softplus) above it, those under it below.
    """

    def __init__(self, spec: ForecastSpec) -> None:
        super().__init__()
        options, channels, asked = spec.options, len(spec.variables), len(spec.asked)
        self.spec = spec
        laid = channels if options.missing in ("mean", "decay") else 3 * channels
        if options.missing == "mean" and spec.times:
            laid += 1
        self.recurrence = Recurrence(
            laid,
            cell=options.cell,
            width=options.width,
            layers=options.layers,
            both=False,
            decay=options.missing == "decay",
        )
        self.recurrence.drop_between(options.dropout, salt=301)
        width = options.width + 2 * channels + asked
        self.drop = SteadyDropout(options.dropout, salt=401)
        self.inner = nn.Linear(width, options.hidden)
        self.outer = nn.Linear(options.hidden, asked * len(spec.levels))
        nn.init.zeros_(self.outer.weight)
        with torch.no_grad():
            self.outer.bias.copy_(torch.tensor(_start(spec)).reshape(-1))

    def forward(self, series: Tensor, said: Tensor, context: Mapping[str, object]) -> Tensor:
        """Return quantiles at every step.

        Parameters
        ----------
        series
            (b c t), float32, standardised, NaN where not measured; with times channel 0 is hours.
        said
            What the autoregression says less the present reading, in units of its usual error, (b t k).
        context
            ``"keys"`` address dropout while training.

        Returns
        -------
        Tensor
            (b u k q), float32, rising along q; u steps, up to the longest series of the batch. Of no meaning beyond the
            end of a series and where the target was not measured.
        """
        sequence = read(series.float(), times=self.spec.times)
        steps, _ = self._laid(sequence, None)
        states = self.recurrence(steps, sequence.lengths, context)
        return self._answer(states, sequence, said, context)

    def advance(
        self, sequence: Sequence, said: Tensor, memory: "tuple[History, tuple[tuple[Tensor, ...], ...]] | None"
    ) -> "tuple[Tensor, tuple[History, tuple[tuple[Tensor, ...], ...]]]":
        """Read on in one series.

        Parameters
        ----------
        sequence
            The next stretch, its clock counted as that of the history.
        said
            (1 t k).
        memory
            What was remembered after the stretch before; None at the beginning.

        Returns
        -------
        quantiles : Tensor
            (1 t k q).
        memory : tuple
            As large as before, however long the series.
        """
        history, layers = memory if memory is not None else (None, None)
        steps, kept = self._laid(sequence, history)
        states, after = self.recurrence.advance(steps, layers)
        return self._answer(states, sequence, said, {}), (kept, after)

    def _laid(self, sequence: Sequence, history: History | None) -> tuple[Tensor, History]:
        missing = self.spec.options.missing
        if missing != "carried":
            return lay(sequence, missing=missing, times=self.spec.times, history=history)
        steps, kept = lay(sequence, missing="decay", times=self.spec.times, history=history)
        _, observed, seen, gap = steps.chunk(4, dim=2)
        age = (gap * (PER_HOUR if self.spec.times else 1.0)).log1p() / 4.0
        return torch.cat([seen, observed, age], dim=2), kept

    def _answer(self, states: Tensor, sequence: Sequence, said: Tensor, context: Mapping[str, object]) -> Tensor:
        observed = sequence.observed.to(states.dtype)
        told = said[:, : states.shape[1]].clamp(-10.0, 10.0)
        joined = torch.cat([states, sequence.values, observed, told], dim=2)
        hidden = functional.gelu(self.inner(self.drop(joined, context)))
        raw = self.outer(hidden).unflatten(2, (len(self.spec.asked), len(self.spec.levels)))
        centre = self.spec.middle
        middle = raw[..., centre : centre + 1]
        above = functional.softplus(raw[..., centre + 1 :]).cumsum(-1)
        below = functional.softplus(raw[..., :centre]).flip(-1).cumsum(-1).flip(-1)
        return torch.cat([middle - below, middle, middle + above], dim=-1)


def build(spec: ForecastSpec, *, seed: int = 0) -> ForecastNetwork:
    """Return a fresh network; the global random state is the same after the call as before it."""
    with torch.random.fork_rng(devices=[]):
        # The generator itself: torch.manual_seed would seed the accelerators' too.
        torch.default_generator.manual_seed(seed)
        return ForecastNetwork(spec)


def _start(spec: ForecastSpec) -> list[list[float]]:
    """Return raw outputs that give the starting quantiles, ``k q``."""

    def raw(rise: float) -> float:
        rise = max(rise, LEAST_RISE)
        return rise if rise > 20 else math.log(math.expm1(rise))

    centre = spec.middle
    found: list[list[float]] = []
    for row in spec.start:
        below = [raw(row[j + 1] - row[j]) for j in range(centre)]
        above = [raw(row[j] - row[j - 1]) for j in range(centre + 1, len(row))]
        found.append([*below, row[centre], *above])
    return found
