"""Steps as a recurrent layer reads them: values beside flags, gaps and the values last seen."""

from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from hounsfield.learn.nn.signal.sequence import Sequence

MissingName = Literal["mean", "flags", "decay"]


@dataclass(frozen=True, slots=True)
class History:
    """What has to be known of a series to read on in it.

    Parameters
    ----------
    clock
        When the last step was, (b,).
    since
        When each channel was last observed, (b c); the beginning of the series where it never was.
    value
        What was observed then, (b c); 0 where nothing was.

    Notes
    -----
    Only what the way of laying needs is kept up to date.
    """

    clock: Tensor
    since: Tensor
    value: Tensor


def begin(sequence: Sequence) -> History:
    """Return the history of a series that begins with this stretch."""
    first = sequence.values[:, 0]
    clock = sequence.clock[:, 0]
    return History(clock, clock[:, None].expand_as(first), torch.zeros_like(first))


def gaps(sequence: Sequence, history: History) -> tuple[Tensor, Tensor]:
    """Return how long ago each channel was last observed.

    Parameters
    ----------
    sequence
        A stretch of signals.
    history
        What was before.

    Returns
    -------
    gap : Tensor
        (b t c), in the unit of the clock: at step t the time since the last observation before t; since the beginning
        where there was none; 0 at the first step of a series.
    since : Tensor
        When each channel was last observed at the end of the stretch, (b c).

    References
    ----------
    Che et al., "Recurrent neural networks for multivariate time series with missing values", Sci Rep 2018;8:6085,
    equation 2.
    """
    clock = sequence.clock[..., None]
    seen = torch.where(sequence.observed, clock, history.since[:, None]).cummax(1).values
    before = torch.cat([history.since[:, None], seen[:, :-1]], dim=1)
    return clock - before, seen[:, -1]


def last_seen(sequence: Sequence, history: History) -> Tensor:
    """Return the value last observed of each channel.

    Parameters
    ----------
    sequence
        A stretch of signals.
    history
        What was before.

    Returns
    -------
    Tensor
        (b t c): at step t the value of the last observation up to and with t; 0 where there was none.
    """
    place = torch.arange(sequence.values.shape[1], device=sequence.values.device)[None, :, None]
    found = torch.where(sequence.observed, place, torch.full_like(place, -1)).cummax(1).values
    value = sequence.values.gather(1, found.clamp_min(0))
    return torch.where(found >= 0, value, history.value[:, None])


def width(channels: int, *, missing: MissingName, times: bool) -> int:
    """Return how many numbers a step has after :func:`lay`; for ``decay`` the channels that are observed."""
    if missing == "decay":
        return channels
    if missing == "flags":
        return (3 if times else 2) * channels
    return channels + int(times)


def lay(
    sequence: Sequence, *, missing: MissingName, times: bool, history: History | None = None
) -> tuple[Tensor, History]:
    """Put what a recurrent layer reads side by side.

    Parameters
    ----------
    sequence
        A stretch of signals.
    missing
        ``mean``: values alone, a missing one as the mean; ``flags``: observed (0 / 1) beside them; ``decay``: what
        :class:`~hounsfield.learn.nn.signal.decay.DecayLayer` takes.
    times
        Whether the clock carries times: ``mean`` then has ``log(1 + time since the step before)`` beside the values,
        ``flags`` ``log(1 + gap)`` of each channel.
    history
        What was before; None at the beginning of a series.

    Returns
    -------
    steps : Tensor
        (b t k), float32.
    history : History
        What has to be known to read on; of meaning where no series ends within the stretch.
    """
    history = begin(sequence) if history is None else history
    values, observed = sequence.values, sequence.observed.to(sequence.values.dtype)
    kept = replace(history, clock=sequence.clock[:, -1])
    if missing == "flags" and not times:
        return torch.cat([values, observed], dim=2), kept
    if missing != "mean":
        gap, since = gaps(sequence, history)
        kept = replace(kept, since=since)
        if missing == "flags":
            return torch.cat([values, observed, gap.log1p()], dim=2), kept
        seen = last_seen(sequence, history)
        return torch.cat([values, observed, seen, gap], dim=2), replace(kept, value=seen[:, -1])
    if not times:
        return values, kept
    before = torch.cat([history.clock[:, None], sequence.clock[:, :-1]], dim=1)
    return torch.cat([values, (sequence.clock - before)[..., None].log1p()], dim=2), kept
