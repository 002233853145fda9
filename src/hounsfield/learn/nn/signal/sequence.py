"""A batch of signals as a network reads it: values without NaN, what was observed, where each series ends."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True, slots=True)
class Sequence:
    """Signals of one batch, step by step.

    Parameters
    ----------
    values
        (b t c), 0 where nothing was observed: the mean of a standardised channel.
    observed
        (b t c), bool.
    clock
        When each step was, (b t), never falling: hours where the series carries its times, else the step's number.
    lengths
        Steps of each series, (b,), int64, at least 1; what follows is padding.
    """

    values: Tensor
    observed: Tensor
    clock: Tensor
    lengths: Tensor

    def reversed(self) -> "Sequence":
        """Return every series read from its own end to its beginning, with a clock that runs backwards from 0."""
        clock = reverse(self.clock[..., None], self.lengths)[..., 0]
        return Sequence(
            reverse(self.values, self.lengths),
            reverse(self.observed, self.lengths),
            (clock[:, :1] - clock).clamp_min(0.0),
            self.lengths,
        )


def read(signal: Tensor, *, times: bool) -> Sequence:
    """Read a batch of signals.

    Parameters
    ----------
    signal
        (b c t), float32, standardised; NaN (or infinite) where nothing was recorded. With ``times`` channel 0 is the
        time of each step in hours.
    times
        Whether the first channel is time.

    Returns
    -------
    Sequence
        Cut to the longest series of the batch. A series in which nothing is observed has one step of nothing. A time
        that is missing or runs backwards is taken as that of the step before.

    Notes
    -----
    A series ends with the last step at which any channel is observed (its time counts as one).
    """
    finite = signal.isfinite()
    place = torch.arange(1, signal.shape[2] + 1, device=signal.device)
    lengths = (finite.any(1) * place).amax(1).clamp_min(1)
    longest = signal.shape[2] if tracing() else int(lengths.max())
    signal, finite = signal[..., :longest], finite[..., :longest]
    values = torch.where(finite, signal, torch.zeros_like(signal)).transpose(1, 2)
    observed = finite.transpose(1, 2)
    if not times:
        clock = (place[:longest] - 1).to(values.dtype).expand(len(signal), longest)
        return Sequence(values, observed, clock, lengths)
    known = torch.where(finite[:, 0], signal[:, 0].detach(), signal.new_full((), -torch.inf))
    clock = known.cummax(1).values
    first = torch.where(clock.isfinite(), clock, signal.new_full((), torch.inf)).amin(1, keepdim=True)
    clock = torch.where(clock.isfinite(), clock, torch.where(first.isfinite(), first, torch.zeros_like(first)))
    return Sequence(values[..., 1:], observed[..., 1:], clock, lengths)


def reverse(steps: Tensor, lengths: Tensor) -> Tensor:
    """Turn each series around within its own length; padding stays where it is.

    Parameters
    ----------
    steps
        (b t c).
    lengths
        (b,), int64.

    Returns
    -------
    Tensor
        (b t c); applied twice it gives what was given.
    """
    count = steps.shape[1]
    if not ragged(lengths, count):
        return steps.flip(1)
    place = torch.arange(count, device=steps.device).expand(len(steps), count)
    mirrored = torch.where(place < lengths[:, None], lengths[:, None] - 1 - place, place)
    return steps.gather(1, mirrored[..., None].expand_as(steps))


def tracing() -> bool:
    """Return whether the network is being written down as a graph, which has to serve series of every length."""
    return bool(torch.jit.is_tracing())  # type: ignore[attr-defined,no-untyped-call]  # torch does not annotate it


def ragged(lengths: Tensor, count: int) -> bool:
    """Return whether a series may end before the last of ``count`` steps."""
    return tracing() or int(lengths.min()) < count


def inside(lengths: Tensor, count: int) -> Tensor:
    """Return which of ``count`` steps belong to each series, (b t), bool."""
    return torch.arange(count, device=lengths.device)[None] < lengths[:, None]


def framed(sequence: Sequence, frame: int) -> Sequence:
    """Join every ``frame`` consecutive steps into one step with as many times the channels.

    Parameters
    ----------
    sequence
        The signals.
    frame
        Steps in a frame; the last frame of a series is filled with what was not observed.

    Returns
    -------
    Sequence
        ceil(t / frame) steps of ``frame c`` channels: all channels of the first step, then of the next.
    """
    if frame == 1:
        return sequence
    batch, count, channels = sequence.values.shape
    short = -count % frame

    def fold(steps: Tensor) -> Tensor:
        return functional.pad(steps, (0, 0, 0, short)).reshape(batch, -1, frame * channels)

    return Sequence(
        fold(sequence.values),
        fold(sequence.observed),
        sequence.clock[:, ::frame],
        (sequence.lengths + frame - 1) // frame,
    )
