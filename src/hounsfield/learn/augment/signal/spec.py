"""Which augmentation of signals is allowed and how strong, as data."""

from pydantic import BaseModel, ConfigDict, Field, model_validator

Share = Field(default=1.0, ge=0.0, le=1.0)


class SignalAugmentSpec(BaseModel):
    """Ranges of every operation; each is off by default, and with all off a batch passes untouched.

    Parameters
    ----------
    rate_hz
        Samples in a second of the prepared signal; needed for ``wander`` and ``hum``.
    times
        Whether channel 0 is the time of each step, which is never changed. What moves samples or swings in seconds is
        then off: a series with times of its own has no even steps.
    scale
        Range of a factor on all leads together, drawn uniformly on the logarithm: gain, body build.
    noise
        Greatest deviation of white Gaussian noise, in the unit of the prepared signal.
    wander
        Greatest height of a slow swing of the baseline, each lead its own, in the unit of the prepared signal.
    wander_hz
        Lowest and highest frequency of the swing, as breathing and movement have.
    hum
        Greatest height of the mains' hum, the same in all leads, in the unit of the prepared signal.
    hum_hz
        Frequencies of mains, of which one is drawn: both by default, since a model travels.
    shift
        Greatest shift in time, as a share of the series' length; the first or last sample continues outside.
    crop
        Least share of a series that is kept; what is cut off becomes padding at the end. 1 = off.
    warp
        Greatest local change of speed: 0.1 makes a stretch up to 10% faster or slower; both ends stay where they are.
    lead_drop
        Chance that a lead is taken out (becomes NaN); one always stays.
    chance
        Chance that a sample meets an operation, for each of scale, noise, wander, hum, shift, crop and warp.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rate_hz: float | None = Field(default=None, gt=0.0)
    times: bool = False
    scale: tuple[float, float] = (1.0, 1.0)
    noise: float = Field(default=0.0, ge=0.0)
    wander: float = Field(default=0.0, ge=0.0)
    wander_hz: tuple[float, float] = (0.05, 0.5)
    hum: float = Field(default=0.0, ge=0.0)
    hum_hz: tuple[float, ...] = Field(default=(50.0, 60.0), min_length=1)
    shift: float = Field(default=0.0, ge=0.0, le=0.5)
    crop: float = Field(default=1.0, gt=0.0, le=1.0)
    warp: float = Field(default=0.0, ge=0.0, lt=1.0)
    lead_drop: float = Field(default=0.0, ge=0.0, lt=1.0)
    chance: float = Share

    @model_validator(mode="after")
    def _fits_together(self) -> "SignalAugmentSpec":
        for name, (low, high) in (("scale", self.scale), ("wander_hz", self.wander_hz)):
            if not 0.0 < low <= high:
                raise ValueError(f"{name} ({low}, {high}) must be two positive numbers, the lower first")
        if (self.wander or self.hum) and self.rate_hz is None:
            raise ValueError("wander and hum swing in seconds: rate_hz is needed")
        if self.hum and self.rate_hz is not None and not 0.0 < min(self.hum_hz) <= max(self.hum_hz) < self.rate_hz / 2:
            raise ValueError(f"hum of {self.hum_hz} Hz cannot be seen at {self.rate_hz} Hz: no filter lets it through")
        if self.times and (self.wander or self.hum or self.shift or self.warp):
            raise ValueError("a series with times of its own has no even steps: wander, hum, shift and warp must be 0")
        return self

    @property
    def moves(self) -> bool:
        """Whether samples may be read from another time."""
        return (self.shift > 0.0 or self.crop < 1.0 or self.warp > 0.0) and self.chance > 0.0
