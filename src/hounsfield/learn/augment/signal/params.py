"""What was drawn for a batch of signals: the deterministic part needs nothing else."""

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class SignalParams:
    """Parameters of one batch; None where an operation is off for all samples.

    Parameters
    ----------
    shift
        By how much of its length a series is read later, (b,), float32, -0.5 to 0.5.
    keep, start
        Share of the series that is kept and where it begins among the places possible, (b,), float32, 0 to 1.
    bend
        Coefficients r of the change of speed, (b 3), float32; see :func:`hounsfield.learn.augment.signal.time.moved_`.
    scale
        Factor, (b,), float32.
    wander
        Heights (b c 3), float32, of three swings in each lead.
    wander_hz, wander_phase
        Frequencies (b 3) and phases in turns (b c 3), float32.
    hum, hum_hz, hum_phase
        Height, frequency and phase in turns, (b,), float32.
    noise, noise_key
        Deviation, and where in the table of normal numbers a sample's noise begins, (b,), float32 and int64.
    dropped
        Which leads are taken out, (b c), bool.
    times
        Whether channel 0 is time and left alone.
    rate_hz
        Samples in a second; 1 where nothing needs it.
    """

    shift: Tensor | None = None
    keep: Tensor | None = None
    start: Tensor | None = None
    bend: Tensor | None = None
    scale: Tensor | None = None
    wander: Tensor | None = None
    wander_hz: Tensor | None = None
    wander_phase: Tensor | None = None
    hum: Tensor | None = None
    hum_hz: Tensor | None = None
    hum_phase: Tensor | None = None
    noise: Tensor | None = None
    noise_key: Tensor | None = None
    dropped: Tensor | None = None
    times: bool = False
    rate_hz: float = 1.0

    @property
    def off(self) -> bool:
        """Whether nothing at all is to be done."""
        return all(not isinstance(getattr(self, field.name), Tensor) for field in fields(self))

    def to(self, device: torch.device | str, *, non_blocking: bool = False) -> "SignalParams":
        """Return the parameters on a device."""
        moved: dict[str, Tensor] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Tensor):
                moved[field.name] = value.to(device, non_blocking=non_blocking)
        return replace(self, **moved)  # type: ignore[arg-type]  # tensors by name, only into fields that held one
