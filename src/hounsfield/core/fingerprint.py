"""Aggregates over the training part; nothing in it identifies a sample."""

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from hounsfield.core.row import ColumnKind


class ImageFacts(BaseModel):
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

    @property
    def said(self) -> str:
        """What a model card says of it."""
        size = " x ".join(str(n) for n in self.size_median)
        kind = self.modality or "modality not recorded"
        return f"{self.ndim}D, {self.channels} channel(s), median size {size}, {kind}"


class SignalFacts(BaseModel):
    """What is known of one signal input over the training part.

    Attributes
    ----------
    leads : tuple of str
        Leads that at least half of the signals have, in the order of the first of them that has all.
    units : tuple of str
        Most frequent unit of each lead; ``""`` where not known.
    rate_hz : float or None
        Median rate; None where none is known, or times are irregular.
    rate_low, rate_high : float or None
        Lowest and highest rate.
    irregular : bool
        Whether samples were taken at irregular times.
    steps_median, steps_low, steps_high : int
        Median, 5th and 95th percentile of the number of time steps; of anchored ones of the whole record.
    duration_median_s, duration_high_s : float or None
        Median and 95th percentile of the length in seconds, where it is known.
    anchored : bool
        Whether each sample is a place in a record (a beat), around which the plan says how much is looked at.
    anchor_gap_s : float or None
        Median distance of neighbouring anchors of one record, seconds.
    missing_share : float
        Mean share of values that are missing.
    empty_share : tuple of float
        Of each lead, share of signals in which it holds nothing.
    mean, std, low, high : tuple of float
        Of each lead: mean and standard deviation of its values, 0.5th and 99.5th percentile over twenty quantiles of
        each signal.
    own_scale : bool
        Whether every series has been standardised by itself already, as archives of series do.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Literal["signal"] = "signal"
    leads: tuple[str, ...]
    units: tuple[str, ...]
    rate_hz: float | None = None
    rate_low: float | None = None
    rate_high: float | None = None
    irregular: bool = False
    steps_median: int
    steps_low: int
    steps_high: int
    duration_median_s: float | None = None
    duration_high_s: float | None = None
    anchored: bool = False
    anchor_gap_s: float | None = None
    missing_share: float = 0.0
    empty_share: tuple[float, ...] = ()
    mean: tuple[float, ...]
    std: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    own_scale: bool = False

    @property
    def ndim(self) -> int:
        """Number of axes beside the leads: time."""
        return 1

    @property
    def size_low(self) -> tuple[int, ...]:
        """5th percentile of the size."""
        return (self.steps_low,)

    @property
    def size_high(self) -> tuple[int, ...]:
        """95th percentile of the size."""
        return (self.steps_high,)

    @property
    def said(self) -> str:
        """What a model card says of it."""
        leads = ", ".join(self.leads[:12]) + (", ..." if len(self.leads) > 12 else "")
        pace = "irregular times" if self.irregular else f"{self.rate_hz:g} Hz" if self.rate_hz else "rate not recorded"
        what = "beats of records" if self.anchored else f"median length {self.steps_median} steps"
        return f"signal, {len(self.leads)} lead(s) ({leads}), {pace}, {what}"


class ColumnFacts(BaseModel):
    """What is known of one variable of a row over the training part.

    Attributes
    ----------
    kind : str
        ``numeric``, ``ordinal``, ``categorical`` or ``place``.
    unit : str
        Where known.
    levels : tuple of str
        Levels of a category, the most frequent first, of an ordinal variable in their order; empty of a number.
    missing_share : float
        Share of rows without a value.
    distinct : int
        Different values; of a category its levels.
    mean, std, median, spread : float
        Of a number; `spread` is the interquartile range, or `std` where that is 0.
    low, high : float
        0.5th and 99.5th percentile of a number.
    skewness : float
        Third standardised moment of a number.
    covariate : bool
        A person said that what it adds to measured features is to be kept when they are harmonised.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: ColumnKind = "numeric"
    unit: str = ""
    levels: tuple[str, ...] = ()
    missing_share: float = 0.0
    distinct: int = 0
    mean: float = 0.0
    std: float = 0.0
    median: float = 0.0
    spread: float = 0.0
    low: float = 0.0
    high: float = 0.0
    skewness: float = 0.0
    covariate: bool = False


class RowFacts(BaseModel):
    """What is known of one row input over the training part.

    Attributes
    ----------
    columns : dict of str to ColumnFacts
        Each variable, in the table's order.
    anchored : bool
        Whether each row tells of a place in a record (a beat).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Literal["row"] = "row"
    columns: dict[str, ColumnFacts]
    anchored: bool = False

    @property
    def ndim(self) -> int:
        """Number of axes beside the variables: none."""
        return 0

    @property
    def size_low(self) -> tuple[int, ...]:
        """Size along no axis."""
        return ()

    @property
    def said(self) -> str:
        """What a model card says of it."""
        coded = sum(bool(c.levels) for c in self.columns.values())
        return f"row of {len(self.columns)} variables, {coded} of them categories"

    @property
    def size_high(self) -> tuple[int, ...]:
        """Size along no axis."""
        return ()


InputFacts: TypeAlias = Annotated[ImageFacts | SignalFacts | RowFacts, Field(discriminator="kind")]
"""What is known of one input, by its kind."""


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

    @property
    def images(self) -> dict[str, ImageFacts]:
        """Return what is known of the inputs that are images."""
        return {name: seen for name, seen in self.inputs.items() if isinstance(seen, ImageFacts)}

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return the kinds of the inputs, each once, in the order of the inputs."""
        return tuple(dict.fromkeys(seen.kind for seen in self.inputs.values()))

    @property
    def anchored(self) -> bool:
        """Return whether samples are places in records (beats), or any input tells of such."""
        return any(isinstance(seen, SignalFacts | RowFacts) and seen.anchored for seen in self.inputs.values())
