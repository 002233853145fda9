"""Which augmentation is allowed and how strong, as data."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Share = Field(default=1.0, ge=0.0, le=1.0)


class AugmentSpec(BaseModel):
    """Ranges of every operation; each is off by default, and with all off a batch passes untouched.

    Parameters
    ----------
    flips
        Axes that may be mirrored, each with chance 1/2: only those along which anatomy has no side.
    rotation_deg
        Greatest rotation in the y x plane, degrees.
    tilt_deg
        Greatest rotation in the z y and z x planes of a volume, degrees.
    scale
        Range of the zoom, drawn uniformly on the logarithm; above 1 enlarges.
    shear_deg
        Greatest shear of x along y, degrees.
    translation
        Greatest shift along each axis, as a share of its size.
    elastic
        Deviation of the smooth random displacement, as a share of each axis' size.
    elastic_cells
        Control points of the displacement along each axis.
    geometry_chance
        Chance that a sample is rotated, scaled, sheared, shifted and bent at all (flips are drawn apart).
    padding
        What is seen outside the image: ``border`` (the nearest pixel), ``reflection`` or ``zeros``.
    spacing
        Size of a pixel along each axis in array order, in any unit; equal along all axes if empty.
    brightness
        Greatest shift of all pixels, in the unit of the prepared image.
    contrast
        Range of the factor on the difference from the sample's mean, drawn uniformly on the logarithm.
    gamma
        Range of the power applied between the sample's lowest and highest pixel, drawn uniformly on the logarithm.
    bias_field
        Greatest deviation of the logarithm of a smooth multiplicative field, as a coil's or a tube's.
    blur
        Greatest deviation of a Gaussian blur, pixels.
    noise
        Greatest deviation of white Gaussian noise, in the unit of the prepared image.
    intensity_chance
        Chance that a sample meets an operation, for each of brightness, contrast, gamma, bias field, blur and noise.
    cutout
        Greatest edge of an erased box, as a share of each axis' size; it is filled with the sample's mean.
    cutout_chance
        Chance that a sample has a box erased.
    mixup
        Parameter of the Beta distribution of MixUp; 0 = off.
    cutmix
        Parameter of the Beta distribution of CutMix; 0 = off.
    mix_chance
        Chance that a sample is mixed at all; where both kinds are on, each has half of it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    flips: tuple[Literal["z", "y", "x"], ...] = ()
    rotation_deg: float = Field(default=0.0, ge=0.0, le=180.0)
    tilt_deg: float = Field(default=0.0, ge=0.0, le=180.0)
    scale: tuple[float, float] = (1.0, 1.0)
    shear_deg: float = Field(default=0.0, ge=0.0, lt=45.0)
    translation: float = Field(default=0.0, ge=0.0, le=1.0)
    elastic: float = Field(default=0.0, ge=0.0, le=0.25)
    elastic_cells: int = Field(default=6, ge=4, le=16)
    geometry_chance: float = Share
    padding: Literal["border", "reflection", "zeros"] = "border"
    spacing: tuple[float, ...] = ()
    brightness: float = Field(default=0.0, ge=0.0)
    contrast: tuple[float, float] = (1.0, 1.0)
    gamma: tuple[float, float] = (1.0, 1.0)
    bias_field: float = Field(default=0.0, ge=0.0, le=2.0)
    blur: float = Field(default=0.0, ge=0.0, le=4.0)
    noise: float = Field(default=0.0, ge=0.0)
    intensity_chance: float = Share
    cutout: float = Field(default=0.0, ge=0.0, le=1.0)
    cutout_chance: float = Share
    mixup: float = Field(default=0.0, ge=0.0)
    cutmix: float = Field(default=0.0, ge=0.0)
    mix_chance: float = Share

    @model_validator(mode="after")
    def _ordered_ranges(self) -> "AugmentSpec":
        for name, (low, high) in (("scale", self.scale), ("contrast", self.contrast), ("gamma", self.gamma)):
            if not 0.0 < low <= high:
                raise ValueError(f"{name} ({low}, {high}) must be two positive numbers, the lower first")
        if self.spacing and min(self.spacing) <= 0.0:
            raise ValueError(f"spacing {self.spacing} must be positive")
        return self

    @property
    def warps(self) -> bool:
        """Whether pixels may be moved other than by mirroring."""
        moved = self.rotation_deg + self.tilt_deg + self.shear_deg + self.translation + self.elastic
        return (moved > 0.0 or self.scale != (1.0, 1.0)) and self.geometry_chance > 0.0

    @property
    def mixes(self) -> bool:
        """Whether samples may be mixed with one another."""
        return self.mixup + self.cutmix > 0.0 and self.mix_chance > 0.0
