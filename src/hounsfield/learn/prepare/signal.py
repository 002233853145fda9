"""Signals to arrays of the same leads, rate and length."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from hounsfield.core.block import Block, SignalBlock
from hounsfield.core.errors import PlanError
from hounsfield.core.kinds import Content, Wanted
from hounsfield.core.leads import place_of
from hounsfield.core.long_signal import LongSignal
from hounsfield.core.signal import Signal
from hounsfield.core.types import AnyArray, BoolArray, Float32Array, Float64Array
from hounsfield.learn.nn.spec import InputShape
from hounsfield.learn.prepare.long_signal import LeadMoments, begun, pieces_of
from hounsfield.learn.prepare.protocol import Preparation, unfitting
from hounsfield.learn.prepare.signal_values import at_rate, in_unit

if TYPE_CHECKING:
    from hounsfield.learn.guard import GuardLimits

SLOWEST = 0.5
"""A rate under this share of the plan's holds too little of what the network has learned from."""
SAME_RATE = 1e-3
CLIP = 20.0
"""Standardised values beyond this count as this: an artefact shall not drown what lies beside it."""
HOUR_S = 3600.0


class SignalPreparation(Preparation):
    """How every signal is brought to the network: the plan's section ``preparation.<name>`` for signals.

    Attributes
    ----------
    leads : tuple of str
        Rows of the prepared array, in this order; found under their names or synonyms, whatever their order.
    optional : tuple of str
        Leads that a signal may lack: they are then missing throughout. One that lacks another lead is refused.
    units : tuple of str
        Unit of each lead; ``""`` where not known: then nothing is converted.
    steps : int
        Length of the prepared array.
    rate_hz : float or None
        Rate that signals are brought to; None where none is known or times are irregular: steps count as they come.
    before_s, after_s : float
        How much around an anchor is looked at, seconds; both 0 for whole signals.
    times : bool
        Whether times are irregular: channel 0 is then the time since the first value, in hours.
    scale : str
        ``training``: each lead by the training part's `mean` and `std`; ``level``: less the signal's own mean, over the
        training part's `std`; ``own``: by the signal's own mean and deviation; ``none``.
    mean, std : tuple of float
        Of each lead over the training part, in its unit.
    storage : str
        ``float16`` or ``float32``.

    Notes
    -----
    A shorter signal is left-aligned, NaN behind it; a longer one loses its end, an irregular one its beginning. NaN
    stands where nothing was recorded.
    """

    kind: Literal["signal"] = "signal"
    leads: tuple[str, ...] = Field(min_length=1)
    optional: tuple[str, ...] = ()
    units: tuple[str, ...]
    steps: int = Field(ge=2)
    rate_hz: float | None = Field(default=None, gt=0)
    before_s: float = Field(default=0.0, ge=0)
    after_s: float = Field(default=0.0, ge=0)
    times: bool = False
    scale: Literal["training", "level", "own", "none"] = "training"
    mean: tuple[float, ...]
    std: tuple[float, ...]
    storage: Literal["float16", "float32"] = "float32"

    @model_validator(mode="after")
    def _one_for_each_lead(self) -> Self:
        counts = {len(self.leads), len(self.units), len(self.mean), len(self.std)}
        if len(counts) > 1:
            raise ValueError("leads, units, mean and std must have one entry for each lead")
        if min(self.std) <= 0:
            raise ValueError("std must be positive")
        if self.times and (self.rate_hz is not None or self.anchored):
            raise ValueError("irregular times have neither a rate nor an anchor")
        return self

    @property
    def anchored(self) -> bool:
        """Whether a window around an anchor is looked at."""
        return self.before_s + self.after_s > 0

    @property
    def kind_name(self) -> str:
        """``signal``."""
        return "signal"

    @property
    def shape(self) -> InputShape:
        """Leads, and the times where there are any, by steps."""
        return InputShape(channels=len(self.leads) + self.times, ndim=1, size=(self.steps,))

    @property
    def dtype(self) -> str:
        """As `storage` says."""
        return self.storage

    @property
    def wanted(self) -> Wanted:
        """So much around an anchor, or whole signals; long ones by stretches."""
        return Wanted(around_s=(self.before_s, self.after_s), long=not self.anchored)

    def prepared(self, content: Content) -> AnyArray:
        """Return leads ``c t`` in their order, at the rate and of the length of the plan, standardised, NaN kept.

        Parameters
        ----------
        content : Signal or LongSignal
            What is prepared of a long one is what is prepared of the same signal held whole, to rounding.

        Returns
        -------
        numpy.ndarray
            ``c t``, as `storage` says.

        Raises
        ------
        PlanError
            If it is no signal, lacks a lead, has a single point, a unit that cannot be converted, or a rate that is
            unknown or too low.
        """
        if not isinstance(content, Signal | LongSignal):
            raise unfitting("no signal", "signals")
        if (content.times_s is not None) != self.times:
            raise unfitting(*_sorts(irregular=not self.times))
        if isinstance(content, LongSignal):
            return self._by_stretches(content)
        if content.samples < 2 and not self.times:
            raise PlanError(
                "The series has a single point.",
                expected=f"about {self.steps} points, at least 2",
                next_step="give the whole series",
            )
        values = self._leads(content)
        if self.times:
            return self._timed(content, values)
        return self._fitted(self._scaled(self._at_rate(content.rate_hz, values)))

    def prepared_block(self, block: Block) -> AnyArray:
        """Return signals that were read together as `prepared` returns each, ``n c t``."""
        if not isinstance(block, SignalBlock) or self.times or block.array.shape[2] < 2:
            return super().prepared_block(block)
        return self._fitted(self._scaled(self._at_rate(block.rate_hz, self._leads(block))))

    @property
    def live(self) -> str:
        """Why a signal cannot be prepared while it is still being recorded, one clause; ``""`` where it can."""
        if self.anchored:
            return "the model looks at beats, and at what follows them"
        if self.scale in ("level", "own"):
            return "the signal is scaled by its own mean, which is not known before its end"
        return ""

    def stretch(self, signal: Signal) -> Float32Array:
        """Return a stretch of a live signal as `prepared` does, neither cut nor filled up.

        Parameters
        ----------
        signal : Signal
            Of irregular times its hours are those since the record began.

        Returns
        -------
        numpy.ndarray
            ``c t``, rounded as `storage` says.

        Raises
        ------
        PlanError
            As `prepared` does, or if `live` says why not.
        """
        if self.live:
            raise PlanError(
                f"A live signal cannot be prepared: {self.live}.",
                expected="whole signals scaled by the training part's mean and deviation",
                next_step="train with --causal",
            )
        if (signal.times_s is not None) != self.times:
            raise unfitting(*_sorts(irregular=not self.times))
        values = self._leads(signal)
        if signal.times_s is not None:
            hours = np.asarray(signal.times_s, dtype=np.float64)[None] / HOUR_S
            values = np.concatenate([hours, self._scaled(values)])
            return values.astype(np.float32)  # days of hours need more digits than 11 bits
        return self._scaled(self._at_rate(signal.rate_hz, values)).astype(self.storage).astype(np.float32)

    def shown(self, content: Content) -> Content:
        """Return what a picture can show of a signal: of a long one what is looked at, at the plan's rate, unscaled."""
        if not isinstance(content, LongSignal) or self.times:
            return content
        seen = begun(self._pieces(content), (len(self.leads), self.steps), lambda piece: piece, dtype="float32")
        length = len(self.moments(content))
        rate = self.rate_hz if self._resamples(content.rate_hz) else content.rate_hz
        values = seen[:, :length].astype(np.float32)
        return Signal(values, self.leads, self.units, rate_hz=rate, start_s=content.start_s)

    def moments(self, signal: Signal | LongSignal) -> Float64Array:
        """Return where in a signal each step lies that is prepared of it.

        Parameters
        ----------
        signal : Signal
            One that can be prepared.

        Returns
        -------
        numpy.ndarray
            ``t``, one for each step up to the end of the signal or of the prepared array, rising: seconds since the
            signal's first sample, or its samples where the signal tells no rate.

        Notes
        -----
        Resampling keeps the first sample where it lay and has no delay, so that step i lies at i / rate.
        """
        if signal.times_s is not None:
            times: Float64Array = np.asarray(signal.times_s, dtype=np.float64)
            last: Float64Array = times[-self.steps :] - times[0]
            return last
        if self.rate_hz is None or signal.rate_hz is None:
            return np.arange(min(self.steps, signal.samples), dtype=np.float64) / (signal.rate_hz or 1.0)
        same = abs(signal.rate_hz / self.rate_hz - 1.0) < SAME_RATE
        rate = signal.rate_hz if same else self.rate_hz
        count = int(np.ceil(signal.samples * rate / signal.rate_hz - 1e-9))
        return np.arange(min(self.steps, count)) / rate

    def normalised(self, stored: AnyArray) -> Float32Array:
        """Return the same in float32: what is stored is standardised already."""
        return stored.astype(np.float32)

    def looks(self, stored: AnyArray) -> Float64Array:
        """See `hounsfield.learn.signal_looks.signal_looks`."""
        from hounsfield.learn.signal_looks import signal_looks

        return signal_looks(stored)

    def looks_block(self, stored: AnyArray) -> Float64Array:
        """See `hounsfield.learn.signal_looks.looks_of_signals`."""
        from hounsfield.learn.signal_looks import looks_of_signals

        return looks_of_signals(stored)

    def described(self, stored: AnyArray) -> Float64Array:
        """See `hounsfield.learn.signal_looks.signal_numbers`."""
        from hounsfield.learn.signal_looks import signal_numbers

        return signal_numbers(stored)

    def blank(self, stored: AnyArray) -> str:
        """Return the reason where no value is known, or all leads are flat."""
        values = stored[self.times :].astype(np.float64)
        known = values[np.isfinite(values)]
        if not len(known):
            return "The signal holds no value: every one is missing."
        if not self.times and float(known.min()) == float(known.max()):
            return "The signal is flat: every value is the same."
        return ""

    def blanks(self, stored: AnyArray) -> list[str]:
        """Return the reason for each of stored signals ``n c t`` of which no value is known, or all are the same."""
        values = stored[:, self.times :].astype(np.float32)
        whole = np.isfinite(values).all(axis=(1, 2))
        values[~whole] = 0.0
        varied = whole & (values.min(axis=(1, 2)) < values.max(axis=(1, 2)))
        return ["" if fine else self.blank(one) for fine, one in zip(varied.tolist(), stored, strict=True)]

    def doubts(self, content: Content, limits: "GuardLimits") -> list[str]:
        """Return which leads hold nothing, and whether it is far shorter than those of the training part."""
        if not isinstance(content, Signal | LongSignal):
            return []
        said = []
        if limits.ndim == 1 and not self.anchored and content.samples < 0.5 * limits.size_low[0]:
            said.append(
                f"{content.samples} steps are under half of the training signals' ({limits.size_low[0]} at the 5th "
                "percentile)"
            )
        asked = {lead: place_of(lead, content.leads) for lead in self.leads if lead not in self.optional}
        empty = {lead: at for lead, at in asked.items() if at is not None}
        for stretch in content.stretches() if isinstance(content, LongSignal) else (content,):
            empty = {lead: at for lead, at in empty.items() if not np.isfinite(stretch.array[at]).any()}
            if not empty:
                break
        return [*said, *(f"lead {lead} holds no value" for lead in empty)]

    def doubts_block(self, block: Block, limits: "GuardLimits") -> list[list[str]]:
        """Return the same of each of signals that were read together."""
        if not isinstance(block, SignalBlock):
            return super().doubts_block(block, limits)
        whole: BoolArray = np.asarray(np.asarray(np.isfinite(block.array).any(axis=2)).all(axis=1))
        if limits.ndim == 1 and not self.anchored:
            whole[:] = False  # whole signals are judged by their length too
        return [[] if fine else self.doubts(block.one(place), limits) for place, fine in enumerate(whole.tolist())]

    def self_test(self) -> AnyArray:
        """Return a wave and a wave with a gap and an end before the end."""
        t = np.linspace(0.0, 1.0, self.steps)
        lead = np.arange(1, len(self.leads) + 1)[:, None]
        first = np.sin(2 * np.pi * (3 + lead) * t) + 0.3 * np.cos(2 * np.pi * 11 * t)
        second = np.sign(np.sin(2 * np.pi * (2 + lead) * t)) * 0.7 + t
        second[:, self.steps // 2 : self.steps // 2 + max(1, self.steps // 16)] = np.nan
        second[:, self.steps - max(1, self.steps // 8) :] = np.nan
        pair = np.stack([first, second])
        if self.times:
            hours = np.broadcast_to(np.arange(self.steps) * 0.5, (2, 1, self.steps)).copy()
            hours[1, :, self.steps - max(1, self.steps // 8) :] = np.nan
            pair = np.concatenate([hours, pair], axis=1)
        return pair.astype(self.storage)

    def _leads(self, signal: Signal | SignalBlock) -> Float64Array:
        """Return the wanted leads in their order and units, ``... l t``."""
        values = np.full((*signal.array.shape[:-2], len(self.leads), signal.array.shape[-1]), np.nan)
        alone = len(self.leads) == len(signal.leads) == 1
        for row, lead in enumerate(self.leads):
            at = 0 if alone else place_of(lead, signal.leads)
            if at is None:
                if lead in self.optional:
                    continue
                raise PlanError(
                    f"The signal has no lead {lead!r}; it has {', '.join(signal.leads[:12])}.",
                    expected=f"the leads {', '.join(self.leads)}",
                    next_step="give a record with these leads, or name them so",
                )
            seen = signal.array[..., at, :]
            values[..., row, :] = in_unit(seen, lead, have=signal.units[at], want=self.units[row])
        return values

    def _at_rate(self, rate_hz: float | None, values: Float64Array) -> Float64Array:
        if not self._resamples(rate_hz) or rate_hz is None or self.rate_hz is None:
            return values
        return at_rate(values, rate_hz, self.rate_hz)

    def _resamples(self, rate_hz: float | None) -> bool:
        """Return whether a signal has another rate than the plan's; raise PlanError where it tells none, or too low."""
        if self.rate_hz is None:
            return False
        if rate_hz is None:
            raise PlanError(
                "The signal does not say at which rate it was sampled.",
                expected=f"a rate; the plan is for {self.rate_hz:g} samples per second",
                next_step="give the record in a format that tells the rate (WFDB, EDF, a table with times)",
            )
        if abs(rate_hz / self.rate_hz - 1.0) < SAME_RATE:
            return False
        if rate_hz < SLOWEST * self.rate_hz:
            raise PlanError(
                f"The signal was sampled at {rate_hz:g} Hz, the plan is for {self.rate_hz:g} Hz.",
                expected=f"at least {SLOWEST * self.rate_hz:g} Hz: less does not hold what the model looks at",
                next_step="give the record at its own rate",
            )
        return True

    def _pieces(self, signal: LongSignal) -> Iterator[Float64Array]:
        """Give a long signal's wanted leads ``l t`` at the plan's rate, one piece after another."""
        to_hz = self.rate_hz if self._resamples(signal.rate_hz) else None
        there = [row for row, lead in enumerate(self.leads) if place_of(lead, signal.leads) is not None]
        return pieces_of(signal, self._leads, to_hz=to_hz, there=there)

    def _by_stretches(self, signal: LongSignal) -> AnyArray:
        """Return what `prepared` does; the whole is read where it is scaled by its own mean, else its beginning."""
        mean, std = (np.array(n)[:, None] for n in (self.mean, self.std))
        if self.scale in ("level", "own"):
            whole = LeadMoments.of(self._pieces(signal))
            mean = whole.mean[:, None]
            own = whole.std[:, None]
            std = np.where(own > 1e-6 * std, own, std) if self.scale == "own" else std

        def scaled(piece: Float64Array) -> Float64Array:
            return self._clipped(piece, mean, std)

        return begun(self._pieces(signal), (len(self.leads), self.steps), scaled, dtype=self.storage)

    def _fitted(self, values: Float64Array) -> AnyArray:
        """Return ``... l t`` cut or filled up to the plan's steps, as they are stored."""
        fitted = np.full((*values.shape[:-1], self.steps), np.nan)
        count = min(self.steps, values.shape[-1])
        fitted[..., :count] = values[..., :count]
        return fitted.astype(self.storage)

    def _scaled(self, values: Float64Array) -> Float64Array:
        mean, std = (np.array(n)[:, None] for n in (self.mean, self.std))
        if self.scale in ("level", "own"):
            known = np.isfinite(values)
            count = np.maximum(known.sum(axis=-1, keepdims=True), 1)
            mean = np.where(known, values, 0.0).sum(axis=-1, keepdims=True) / count
        if self.scale == "own":
            away = np.where(known, values - mean, 0.0)
            own = np.sqrt((away**2).sum(axis=-1, keepdims=True) / count)
            std = np.where(own > 1e-6 * std, own, std)
        return self._clipped(values, mean, std)

    def _clipped(self, values: Float64Array, mean: Float64Array, std: Float64Array) -> Float64Array:
        if self.scale == "none":
            return np.clip(values, -1e4, 1e4)
        scaled: Float64Array = np.clip((values - mean) / std, -CLIP, CLIP)
        return scaled

    def _timed(self, signal: Signal, values: Float64Array) -> AnyArray:
        times = np.asarray(signal.times_s, dtype=np.float64)
        hours = (times - times[0]) / HOUR_S
        stacked = np.concatenate([hours[None], self._scaled(values)])[:, -self.steps :]
        fitted = np.full((len(stacked), self.steps), np.nan)
        fitted[:, : stacked.shape[1]] = stacked
        return fitted.astype(self.storage)


def _sorts(*, irregular: bool) -> tuple[str, str]:
    regular, times = "a signal at a fixed rate", "a signal with irregular times"
    return (times, regular) if irregular else (regular, times)
