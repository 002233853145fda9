"""Samples, what is asked of them, and the cohort they form."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, Never

from pydantic import BaseModel, ConfigDict

from hounsfield.core.errors import CohortError
from hounsfield.core.row import RowColumn
from hounsfield.core.types import AnyArray, Attribute, TargetValue

TargetKind = Literal["categorical", "multilabel", "ordinal", "number", "mask", "boxes", "forecast"]
DENSE_KINDS = ("mask", "boxes")
"""Kinds of answers that lie in the image: a sample's `masks` hold them."""
INSIDE_KINDS = (*DENSE_KINDS, "forecast")
"""Kinds of answers that lie in what is looked at: no sample's `targets` hold them."""
Part = Literal["train", "val", "test"]
PARTS: tuple[Part, ...] = ("train", "val", "test")


@dataclass(frozen=True, slots=True)
class Ref:
    """Where one thing is read from, lazily.

    Parameters
    ----------
    reader : str
        Name in the table of readers.
    path : str
        POSIX path relative to the cohort's root; for arrays in memory the name of the array.
    part : tuple of (str, str or int)
        What inside the file: array and index of an npz, series, frame.
    """

    reader: str
    path: str
    part: tuple[tuple[str, str | int], ...] = ()

    def key(self) -> str:
        """Return a text that is the same for the same thing."""
        return "|".join([self.reader, self.path, *(f"{k}={v}" for k, v in self.part)])


@dataclass(frozen=True, slots=True)
class Reading:
    """One input at one time: a `Ref` and when it was taken.

    Parameters
    ----------
    ref : Ref
        Where it is read from.
    time_days : float
        Time on the patient's own axis in days.
    """

    ref: Ref
    time_days: float = 0.0


class TargetSpec(BaseModel):
    """What is asked: one target of a cohort.

    Attributes
    ----------
    name : str
        Column or folder level that holds the answer.
    kind : str
        ``categorical``, ``multilabel``, ``ordinal``, ``number``, ``mask``, ``boxes`` or ``forecast``.
    classes : tuple of str
        Class, label or level names, in the order of the columns of a prediction; empty for a number.
    positive : str or None
        The class that means "diseased" where there are two classes.
    positive_source : str
        ``declared``, ``name`` (a word such as "malignant"), ``assumed`` (only numbers were found) or ``""``.
    unit : str
        Unit of a number, where known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    kind: TargetKind
    classes: tuple[str, ...] = ()
    positive: str | None = None
    positive_source: Literal["declared", "name", "assumed", ""] = ""
    unit: str = ""


class InputSpec(BaseModel):
    """One named input of every sample: its kind and what is known of it for all samples.

    Attributes
    ----------
    name : str
    kind : str
        ``image``, ``signal`` or ``row``.
    ndim : int
        Space axes of an image; 1 of a signal, 0 of a row.
    modality : str
        DICOM code where known; ``ECG`` of an electrocardiogram.
    leads : tuple of str
        Of a signal: the leads that every record has, in the order in which they are looked at. A record may have more,
        in another order and under synonyms (`hounsfield.core.leads.place_of`). Empty: as they are.
    columns : tuple of RowColumn
        Of a row: its variables.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    kind: str = "image"
    ndim: int = 2
    modality: str = ""
    leads: tuple[str, ...] = ()
    columns: tuple[RowColumn, ...] = ()


class ColumnRole(BaseModel):
    """What a column of a table was taken for, and why.

    Attributes
    ----------
    table, column : str
        File name of the table and column name.
    role : str
        ``image``, ``target``, ``same as target``, ``split``, ``patient``, ``id``, ``mask``, ``opinion``,
        ``region``, ``time``, ``attribute``, ``site`` (where measured features were recorded), ``input`` (a variable of
        a row), ``covariate`` (one whose share in measured features is kept when they are harmonised), ``leaks the
        answer``, ``record`` (how the file came about: original name, size), ``free text``, ``constant``, ``unused``.
    reason : str
        One clause for a reader.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    table: str
    column: str
    role: str
    reason: str = ""


class Schema(BaseModel):
    """What a cohort's samples consist of, and what was understood on the way.

    Attributes
    ----------
    targets : tuple of TargetSpec
        What is asked; the first is the primary one.
    inputs : tuple of InputSpec
        What is looked at.
    layout : str
        Name of the layout that claimed the folder.
    official_parts : tuple of str
        Parts that the data brought along, kept as they are.
    patients_known : bool
        False where every sample had to be taken for a patient of its own.
    columns : tuple of ColumnRole
        What each column was taken for.
    side_tables : tuple of str
        Tables beside the manifest that are not the manifest.
    notes, unsure : tuple of str
        What was understood, and what a person should check.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    targets: tuple[TargetSpec, ...] = ()
    inputs: tuple[InputSpec, ...] = (InputSpec(name="image"),)
    layout: str = ""
    official_parts: tuple[str, ...] = ()
    patients_known: bool = False
    columns: tuple[ColumnRole, ...] = ()
    side_tables: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()

    def target(self, name: str) -> TargetSpec:
        """Return the target called `name`."""
        for spec in self.targets:
            if spec.name == name:
                return spec
        raise CohortError(f"The cohort has no target {name!r}.", expected=", ".join(t.name for t in self.targets))


class _Nothing(Mapping[str, Never]):
    """The mapping that holds nothing: one for all samples, most of which would have five dicts for it."""

    __slots__ = ()

    def __getitem__(self, key: str) -> Never:
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return "{}"

    def __reduce__(self) -> str:
        return "_NOTHING"


_NOTHING = _Nothing()


@dataclass(frozen=True, slots=True)
class Sample:
    """One question: one row of ``predictions.csv``.

    Parameters
    ----------
    id : str
        Unique in the cohort.
    patient : str
        Whom it belongs to; the sample's own id where patients are not known.
    inputs : mapping of str to tuple of Reading
        Visits, views and slices are several readings of one input, none later than the sample's time.
    targets : mapping of str to TargetValue
        The answers; None where missing.
    part : str or None
        Official part, where the data has one.
    opinions : mapping
        A second reader's answer (a value, or a Ref to a mask): for agreement, never for training.
    regions : mapping of str to Ref
        Field of view, region of interest.
    masks : mapping of str to Ref
        Answers that lie in the image, by target name: masks, and boxes as the regions that they fill.
    attributes : mapping of str to Attribute
        Site, scanner, age, sex and what else was recorded: for audit and subgroups.
    records : mapping of str to Attribute
        How the file came about (original file name, size, presence in a side table, columns that leak the
        answer): for the shortcut probe only.
    time_days : float
        When the question is asked.

    Raises
    ------
    CohortError
        If a reading is later than the sample.
    """

    id: str
    patient: str
    inputs: Mapping[str, tuple[Reading, ...]]
    targets: Mapping[str, TargetValue] = field(default_factory=dict)
    part: Part | None = None
    opinions: Mapping[str, TargetValue | Ref] = field(default_factory=dict)
    regions: Mapping[str, Ref] = field(default_factory=dict)
    masks: Mapping[str, Ref] = field(default_factory=dict)
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    records: Mapping[str, Attribute] = field(default_factory=dict)
    time_days: float = 0.0

    def __post_init__(self) -> None:
        for about in ("targets", "opinions", "regions", "masks", "attributes", "records"):
            if not getattr(self, about):  # a third of a sample was empty dicts
                object.__setattr__(self, about, _NOTHING)
        latest: float | None = getattr(self.inputs, "latest_days", None)  # inputs that are made when asked for know it
        if latest is not None and latest <= self.time_days:
            return
        for name, readings in self.inputs.items():
            if any(r.time_days > self.time_days for r in readings):
                raise CohortError(
                    f"A reading of input {name!r} was taken after the question is asked.",
                    expected="readings no later than the sample's time",
                    next_step="correct the times, or ask the question later",
                )

    def with_part(self, part: Part | None) -> "Sample":
        """Return the sample placed in another part."""
        return replace(self, part=part)


class SetAside(BaseModel):
    """A case that takes no part, and why.

    Attributes
    ----------
    sample : str
        Sample id, as the user's own files name it.
    reason : str
        One clause.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    sample: str
    reason: str


@dataclass(frozen=True)
class Listing:
    """A table of what a source holds, for a person to read: what a layout wants seen besides the samples.

    Parameters
    ----------
    title : str
    heads : tuple of str
    rows : tuple of tuple of str
    """

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...] = field(repr=False)


@dataclass(frozen=True)
class Cohort:
    """Samples and their schema.

    Parameters
    ----------
    name : str
        Folder or file name, never a full path.
    root : str
        Folder that the refs are relative to; kept out of every repr.
    samples : tuple of Sample
        In a stable order.
    schema : Schema
        What they consist of.
    set_aside : tuple of SetAside
        Cases that were found but cannot be used.
    arrays : mapping of str to numpy.ndarray
        Arrays handed over in memory, for the ``memory`` reader.
    listings : tuple of Listing
        What else the source holds, as tables for a person.
    """

    name: str
    root: str = field(repr=False)
    samples: tuple[Sample, ...] = field(repr=False)
    schema: Schema = field(repr=False)
    set_aside: tuple[SetAside, ...] = field(default=(), repr=False)
    arrays: Mapping[str, AnyArray] = field(default_factory=dict, repr=False)
    listings: tuple[Listing, ...] = field(default=(), repr=False)

    def __len__(self) -> int:
        return len(self.samples)

    def select(self, keep: Iterable[str]) -> "Cohort":
        """Return the cohort with only the samples whose id is in `keep`, in the cohort's order."""
        wanted = set(keep)
        return replace(self, samples=tuple(s for s in self.samples if s.id in wanted))


@dataclass(frozen=True)
class Roles:
    """What a user said of the data: overrides of what would be inferred.

    Parameters
    ----------
    target : tuple of str
        Columns that hold the answers; empty to infer.
    image, group, split : str or None
        Columns of image path, patient and part.
    positive : str or None
        The positive class.
    task : str or None
        Task that the targets are for.
    labels : str or None
        File name or path of the table of answers, where it lies elsewhere.
    series : str or None
        Which series of a study are meant, as a query on DICOM keywords.
    index : str or None
        File that the index of a DICOM tree is kept in.
    columns : tuple of (str, str)
        Columns and their roles, as ``cohort.yaml`` corrects them.
    """

    target: tuple[str, ...] = ()
    image: str | None = None
    group: str | None = None
    split: str | None = None
    positive: str | None = None
    task: str | None = None
    labels: str | None = None
    series: str | None = None
    index: str | None = None
    columns: tuple[tuple[str, str], ...] = ()
