"""Aggregates over the training part; nothing in it identifies a sample."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class InputFacts(BaseModel):
    """What is known of one image input over the training part.

    Attributes
    ----------
    ndim : int
        2 or 3.
    channels : int
        1 if all are grey (colour files with three equal channels count as grey), else 3.
    stored_channels : int
        Most frequent number of channels as the files have them.
    size_median, size_low, size_high : tuple of int
        Median, 5th and 95th percentile of the size, ``y x`` or ``z y x``.
    bits : int
        Most frequent bits per channel.
    modality : str
        DICOM modality code, or ``""``.
    value_low, value_high, mean, std : float
        0.5th and 99.5th percentile, mean and standard deviation of the stored values.
    colour_share : float
        Share of images with real colour, 0 to 1.
    spacing_median, spacing_low : tuple of float or None
        Median and 10th percentile of the spacing ``z y x`` in mm, axes towards superior, anterior, right; None unless
        every volume says how it lies in the patient. Sizes are then of volumes turned so.
    extent_low, extent_median, extent_high : tuple of float or None
        5th, 50th and 95th percentile of size times spacing, mm.
    brightness_ratio : float
        95th over 5th percentile of the volumes' own 99.5th percentiles of value; 1 where they agree, or it is unknown.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Literal["image"] = "image"
    ndim: int = 2
    channels: int = 1
    stored_channels: int = 1
    size_median: tuple[int, ...]
    size_low: tuple[int, ...]
    size_high: tuple[int, ...]
    bits: int = 8
    modality: str = ""
    value_low: float
    value_high: float
    mean: float
    std: float
    colour_share: float = 0.0
    spacing_median: tuple[float, ...] | None = None
    spacing_low: tuple[float, ...] | None = None
    extent_low: tuple[float, ...] | None = None
    extent_median: tuple[float, ...] | None = None
    extent_high: tuple[float, ...] | None = None
    brightness_ratio: float = 1.0


class MaskFacts(BaseModel):
    """What is known of the masks of one target over the training part.

    Attributes
    ----------
    channels : int
        1, or one for each structure that may overlap with others.
    values : dict of str to int
        Label (or place of the channel) to the number of samples that hold it.
    empty : int
        Samples whose mask marks nothing.
    share : float
        Median share of marked voxels, where any are.
    fill : float
        Median of marked voxels over those at their border: 1 for lines a voxel or two wide, large for thick bodies.
    extent : tuple of float
        90th percentile of the edges of the box around what is marked, as shares of the image's, array order.
    inside_low, inside_high, inside_mean, inside_std : float
        0.5th and 99.5th percentile, mean and deviation of the first input's stored values where something is marked.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    channels: int = 1
    values: dict[str, int] = {}
    empty: int = 0
    share: float = 0.0
    fill: float = 0.0
    extent: tuple[float, ...] = ()
    inside_low: float = 0.0
    inside_high: float = 0.0
    inside_mean: float = 0.0
    inside_std: float = 1.0


class TargetFacts(BaseModel):
    """What is known of one target over the training part.

    Attributes
    ----------
    counts : dict of str to int
        Samples per class, level or label.
    missing : int
        Samples without an answer.
    mean, std, median : float or None
        Of a number.
    mask : MaskFacts or None
        Of masks.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: str
    counts: dict[str, int] = {}
    missing: int = 0
    mean: float | None = None
    std: float | None = None
    median: float | None = None
    mask: MaskFacts | None = None


class Fingerprint(BaseModel):
    """Aggregates over the training part only.

    Attributes
    ----------
    samples, patients, val_samples : int
        Numbers; `val_samples` is the size of the validation part, not a fact about its content.
    inputs : dict of str to InputFacts
    targets : dict of str to TargetFacts
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    schema_version: Literal[1] = 1
    samples: int
    patients: int
    val_samples: int
    inputs: dict[str, InputFacts]
    targets: dict[str, TargetFacts]
