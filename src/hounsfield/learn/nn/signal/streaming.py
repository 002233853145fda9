"""Following a live series: a causal network fed step by step, with constant memory."""

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from hounsfield.core.errors import InputError, PlanError
from hounsfield.core.types import AnyArray
from hounsfield.learn.nn.kinds import KINDS
from hounsfield.learn.nn.network import EncoderNetwork, Network
from hounsfield.learn.nn.signal.cells import State
from hounsfield.learn.nn.signal.laying import History, lay
from hounsfield.learn.nn.signal.pooling import TimePool
from hounsfield.learn.nn.signal.recurrent import RecurrentEncoder, RecurrentOptions
from hounsfield.learn.nn.signal.sequence import Sequence
from hounsfield.learn.nn.spec import NetworkSpec, read_options

CHUNK = 256
"""Steps that are computed at once; longer stretches are taken in parts, so that memory stays what it is."""


def streamable(spec: NetworkSpec) -> str | None:
    """Say why a network cannot follow a live series.

    Parameters
    ----------
    spec
        The network as data.

    Returns
    -------
    str or None
        None if it can; else the reason and what to plan instead, one sentence.

    Notes
    -----
    What is asked for: one signal as the only input, and a recurrence in one direction, whose state is all that has to
    be remembered. Pooling by the last state, the mean or attention all need a sum or a state and no history.
    """
    shapes = list(spec.inputs.values())
    if len(shapes) != 1 or shapes[0].ndim != 1:
        given = ", ".join(f"a {KINDS[shape.ndim]}" for shape in shapes)
        return f"a live series is one signal, and the network was trained on {given}; plan with one signal as input"
    if spec.family != "recurrent":
        return (
            f'network "{spec.family}" looks at a whole stretch at once, also at what comes later; '
            'plan with "network: recurrent" and "bidirectional: false"'
        )
    if read_options(spec, RecurrentOptions).bidirectional:
        return 'the network also reads from the end of a series; plan with "bidirectional: false"'
    return None


@dataclass(frozen=True, slots=True)
class Pooled:
    """What pooling remembers: the state after the last step, a weighted sum, its weight, the largest score."""

    last: Tensor
    total: Tensor
    weight: Tensor
    peak: Tensor


@dataclass(frozen=True, slots=True)
class Memory:
    """All that is kept of a series; its size does not depend on how long the series is.

    Parameters
    ----------
    layers
        States of the recurrent layers.
    history
        What was seen last of each channel; its clock is counted from the last step.
    pooled
        What pooling remembers.
    hours
        When the last step was, from the beginning of the series.
    """

    layers: tuple[State, ...] | None = None
    history: History | None = None
    pooled: Pooled | None = None
    hours: float = 0.0


class Stream:
    """A causal network that follows one live series.

    Parameters
    ----------
    network
        A trained network of the family ``recurrent``; put into evaluation mode.
    spec
        What it was built from.

    Raises
    ------
    PlanError
        If the network cannot follow a series; :func:`streamable` says why.

    Notes
    -----
    After any number of calls the answer is that of the network given the whole series at once, up to rounding. Steps at
    which no channel was observed count once something is observed after them, as in a series that ends with padding.
    Nothing but :class:`Memory`, less than one frame of samples and a few counters is kept.
    """

    def __init__(self, network: Network, spec: NetworkSpec) -> None:
        reason = streamable(spec)
        encoder = network.encoders[0] if isinstance(network, EncoderNetwork) and len(network.encoders) else None
        if reason is None and not isinstance(encoder, RecurrentEncoder):
            reason = "the network is not the one that the spec describes; build it from the spec"
        if reason is not None or not isinstance(network, EncoderNetwork) or not isinstance(encoder, RecurrentEncoder):
            raise PlanError(
                f"The network cannot follow a live series: {reason}.",
                expected="a recurrent network that reads one signal in one direction",
                next_step="plan again as said, or predict whole windows",
            )
        self._network = network.eval()
        self._encoder = encoder
        self._channels = next(iter(spec.inputs.values())).channels
        self._frame = encoder.options.frame
        self.reset()

    def reset(self) -> None:
        """Forget everything: the next step is the first of a series."""
        self._memory = Memory()
        self._rest = torch.zeros(0, self._channels, dtype=torch.float64)
        self._silent = 0
        self._zero_hours: float | None = None
        self._hours = 0.0

    @property
    def kept(self) -> int:
        """How many numbers are remembered at present."""
        memory, count = self._memory, self._rest.numel()
        for state in memory.layers or ():
            count += sum(part.numel() for part in state)
        for held in (memory.history, memory.pooled):
            if held is not None:
                count += sum(getattr(held, name).numel() for name in held.__slots__)
        return count

    @torch.inference_mode()
    def feed(self, chunk: AnyArray) -> dict[str, Tensor]:
        """Read the next samples and answer.

        Parameters
        ----------
        chunk
            (c t), prepared as for training, NaN where nothing was recorded; one sample is (c 1). With times, channel 0
            is hours, counted from any beginning.

        Returns
        -------
        dict
            ``"embedding"`` (1 c) and one entry for each head (1 k), of the series up to here.

        Raises
        ------
        InputError
            If the chunk has other channels than the network.
        """
        given = np.asarray(chunk)
        if given.ndim != 2 or given.shape[0] != self._channels:
            raise InputError(
                f"The next samples have shape {given.shape}.",
                expected=f"({self._channels}, t): the channels that the network was trained with",
                next_step="choose and order the leads as in training",
            )
        for first in range(0, given.shape[1], CHUNK):
            self._take(self._readable(given[:, first : first + CHUNK]))
        return self._answer()

    def _readable(self, chunk: AnyArray) -> Tensor:
        """Return samples (t c), float64, hours counted from the first one and never falling."""
        values = np.array(chunk, dtype=np.float64)
        if self._encoder.options.times:
            for place, hours in enumerate(values[0].tolist()):
                if math.isfinite(hours):
                    self._zero_hours = hours if self._zero_hours is None else self._zero_hours
                    self._hours = max(self._hours, hours - self._zero_hours)
                    values[0, place] = self._hours
        return torch.from_numpy(np.ascontiguousarray(values.T))

    def _take(self, samples: Tensor) -> None:
        known = samples.isfinite().any(1).nonzero().flatten()
        if not len(known):
            self._silent += len(samples)
            return
        while self._silent:  # what was silent before lies inside the series now
            step = min(self._silent, CHUNK)
            self._silent -= step
            self._run(torch.full((step, self._channels), torch.nan, dtype=torch.float64))
        upto = int(known[-1]) + 1
        self._run(samples[:upto])
        self._silent = len(samples) - upto

    def _run(self, samples: Tensor) -> None:
        samples = torch.cat([self._rest, samples])
        whole = len(samples) // self._frame * self._frame
        self._rest = samples[whole:]
        if whole:
            self._memory = self._after(self._memory, samples[:whole])

    def _after(self, memory: Memory, samples: Tensor) -> Memory:
        """Return the memory after whole frames of samples (t c)."""
        options, encoder = self._encoder.options, self._encoder
        sequence = self._sequence(samples, memory)
        steps, history = lay(sequence, missing=options.missing, times=options.times, history=memory.history)
        states, layers = encoder.recurrence.advance(steps, memory.layers)
        # Clocks are counted from the last step: a float32 that counts for days loses the seconds.
        passed = sequence.clock[:, -1]
        history = replace(history, clock=history.clock - passed, since=history.since - passed)
        return Memory(layers, history, pooled(encoder.pool, states, memory.pooled), memory.hours + float(passed))

    def _sequence(self, samples: Tensor, memory: Memory) -> Sequence:
        """Return whole frames as steps, with a clock that counts from the step before."""
        frames = len(samples) // self._frame
        observed = samples.isfinite()
        values = torch.where(observed, samples, torch.zeros_like(samples))
        if self._encoder.options.times:
            hours = torch.where(observed[:, 0], values[:, 0], torch.full_like(values[:, 0], memory.hours))
            clock = hours.clamp_min(memory.hours).cummax(0).values - memory.hours
            values, observed = values[:, 1:], observed[:, 1:]
        else:
            first = 0 if memory.history is None else self._frame
            clock = torch.arange(frames, dtype=torch.float64) * self._frame + first
        on = next(self._network.parameters()).device
        return Sequence(
            values.to(on, torch.float32).reshape(1, frames, -1),
            observed.to(on).reshape(1, frames, -1),
            clock.to(on, torch.float32)[None],
            torch.tensor([frames], device=on),
        )

    def _answer(self) -> dict[str, Tensor]:
        memory = self._memory
        found = memory.pooled
        if len(self._rest) or found is None:
            # The frame that is not full yet is filled with what was not observed, and not remembered.
            missing = self._frame - len(self._rest)
            found = self._after(memory, functional.pad(self._rest, (0, 0, 0, missing), value=math.nan)).pooled
        if found is None or self._encoder.pool.kind == "last":
            embedding = torch.zeros(1, self._encoder.features) if found is None else found.last
        else:
            embedding = found.total / found.weight
        answer: dict[str, Tensor] = self._network.heads(embedding, {})
        return answer


def pooled(pool: TimePool, states: Tensor, before: Pooled | None) -> Pooled:
    """Pool on: sums of the steps so far and of the states (1 t c) that follow.

    Notes
    -----
    Attention is a softmax over all steps: sums of ``exp(score - peak)``, scaled down whenever the peak rises, are that
    softmax without its history.
    """
    score = pool.scores(states)[..., 0] if pool.kind == "attention" else states.new_zeros(states.shape[:2])
    peak = score.amax(1)
    if before is not None:
        peak = torch.maximum(peak, before.peak)
    share = torch.exp(score - peak[:, None])
    total, weight = (states * share[..., None]).sum(1), share.sum(1, keepdim=True)
    if before is not None:
        old = torch.exp(before.peak - peak)[:, None]
        total, weight = total + old * before.total, weight + old * before.weight
    return Pooled(states[:, -1], total, weight, peak)
