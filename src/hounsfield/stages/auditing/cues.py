"""What is known of a sample without looking at its anatomy: file, size, border, brightness, records."""

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from hounsfield.core.cohort import Sample, Schema
from hounsfield.core.types import Attribute, Float64Array
from hounsfield.stages.auditing.thumbnails import IMAGE, Glance

_ENDING = re.compile(r"\.[A-Za-z0-9]{1,5}$")
_EXTENT = re.compile(r"(width|height|columns|cols|rows|depth)", re.IGNORECASE)
_MOST_LEVELS = 30
_UNUSABLE_ROLES = frozenset({"target", "same as target", "patient", "id", "split", "image", "mask", "free text"})
_FILE_ROLES = frozenset({"record", "image"})


@dataclass(frozen=True, eq=False)
class Cue:
    """One way to guess an answer without the anatomy.

    Parameters
    ----------
    name : str
        As figures are listed by: ``width``, ``column:age``, ``in:notes.csv``.
    subject : str
        How a sentence names it.
    values : float64 array (n, d)
        One row per sample, no NaN.
    of_file : bool
        Whether it says how the file came about, so that it joins the guess from all such cues together.
    linear : bool
        Whether it is guessed from by logistic regression, as a reader would add several facts up; else by a tree.
    """

    name: str
    subject: str
    values: Float64Array
    of_file: bool
    linear: bool = False


def collect_cues(samples: Sequence[Sample], glances: Sequence[Glance], schema: Schema) -> tuple[Cue, ...]:
    """Collect all cues that vary.

    Parameters
    ----------
    samples : sequence of Sample
        The samples to guess for.
    glances : sequence of Glance
        Of the same samples, in the same order.
    schema : Schema
        Tells which columns repeat the answer or name a person; these are no cues.

    Returns
    -------
    tuple of Cue
        Names of files and people never enter, only a file name's ending.
    """
    cues = [c for c in (*_picture_cues(samples, glances), *_column_cues(samples, schema)) if _varies(c.values)]
    return (*cues, *_recorded_together(cues))


def _varies(values: Float64Array) -> bool:
    return bool(values.shape[1] and np.ptp(values, axis=0).max() > 0)


def _recorded_together(cues: Sequence[Cue]) -> list[Cue]:
    """Return one cue from the recorded ending and size of the original file, where both are known."""
    endings = [c for c in cues if c.name.startswith("ending:")]
    sizes = [c for c in cues if c.name.startswith("size:")]
    if not endings or not sizes:
        return []
    chosen = [*endings, *sizes]
    subject = " with ".join(c.subject for c in (endings[0], sizes[0]))
    values = np.concatenate([c.values for c in chosen], axis=1)
    return [Cue(" + ".join(c.name for c in chosen), subject, values, of_file=True, linear=True)]


def _picture_cues(samples: Sequence[Sample], glances: Sequence[Glance]) -> list[Cue]:
    if any(g.kind != IMAGE for g in glances):
        return []  # a length or a rate is no property of a file alone; recorded columns are looked at all the same

    def numbers(*take: Callable[[Glance], float]) -> Float64Array:
        rows = np.array([[f(g) for f in take] for g in glances], dtype=np.float64)
        return np.nan_to_num(rows.reshape(len(glances), len(take)))

    return [
        Cue("file ending", "the ending of the image file", _levels([_ending(s) for s in samples]), of_file=True),
        Cue("file format", "the format of the image file", _levels([g.file_format for g in glances]), of_file=True),
        Cue("width", "the width of the image", numbers(_width), of_file=True),
        Cue("height", "the height of the image", numbers(_height), of_file=True),
        Cue("size", "the size of the image", numbers(_width, _height), of_file=True),
        Cue("aspect", "the aspect of the image", numbers(lambda g: _width(g) / _height(g)), of_file=True),
        Cue("bits per pixel", "the compressed size per pixel", numbers(lambda g: g.bits_per_pixel), of_file=True),
        Cue(
            "border",
            "the border of the image",
            numbers(lambda g: g.border, lambda g: g.border_contrast),
            of_file=True,
        ),
        Cue("mean brightness", "the mean brightness of the image", numbers(lambda g: g.brightness), of_file=True),
        Cue("contrast", "the spread of brightness in the image", numbers(lambda g: g.contrast), of_file=True),
    ]


def _column_cues(samples: Sequence[Sample], schema: Schema) -> list[Cue]:
    roles = {c.column: c.role for c in schema.columns}
    columns = {**_table([s.attributes for s in samples]), **_table([s.records for s in samples])}
    records = {name for s in samples for name in s.records}
    cues: list[Cue] = []
    extents: dict[str, list[str]] = {}
    for name, values in columns.items():
        role = roles.get(name, "record" if name in records else "attribute")
        if role in _UNUSABLE_ROLES:
            continue
        of_file = name in records and role in _FILE_ROLES and not name.startswith("in:")
        cues.extend(_of_column(name, values, of_file=of_file))
        if _EXTENT.search(name) and _numbers(values) is not None:
            extents.setdefault(_EXTENT.sub("", name), []).append(name)
    for names in extents.values():
        if len(names) > 1:
            cues.append(_extent_cue(names, columns))
    return cues


def _of_column(name: str, values: list[Attribute], *, of_file: bool) -> list[Cue]:
    if name.startswith("in:"):
        return [Cue(name, f"having a row in {name[3:]}", _levels([_text(v) or "" for v in values]), of_file=False)]
    cues: list[Cue] = []
    missing = np.array([[_text(v) is None] for v in values], dtype=np.float64)
    if missing.any() and not missing.all():
        cues.append(Cue(f"missing:{name}", f"a missing {name}", missing, of_file=False))
    numbers = _numbers(values)
    texts = [_text(v) for v in values]
    present = [t for t in texts if t is not None]
    if numbers is not None:
        cues.append(Cue(f"column:{name}", f"column {name}", numbers[:, None], of_file=of_file))
    elif present and np.mean([bool(_ENDING.search(t)) for t in present]) > 0.8:
        endings = [PurePosixPath(t or "").suffix.lower() for t in texts]
        cues.append(Cue(f"ending:{name}", f"the file ending in column {name}", _levels(endings), of_file=of_file))
    elif 1 < len(set(present)) <= min(_MOST_LEVELS, len(present) // 3):
        cues.append(Cue(f"column:{name}", f"column {name}", _levels([t or "" for t in texts]), of_file=of_file))
    return cues


def _extent_cue(names: list[str], columns: Mapping[str, list[Attribute]]) -> Cue:
    values = [v for v in (_numbers(columns[n]) for n in names) if v is not None]
    joined = " x ".join(names)
    return Cue(f"size:{joined}", f"the size in columns {joined}", np.stack(values, axis=1), of_file=True)


def _table(rows: Sequence[Mapping[str, Attribute]]) -> dict[str, list[Attribute]]:
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


def _numbers(values: Sequence[Attribute]) -> Float64Array | None:
    """Return a column as numbers with the median where missing; None where it holds words."""
    out = np.full(len(values), np.nan)
    for i, value in enumerate(values):
        if value is None or value == "":
            continue
        try:
            out[i] = float(value)
        except ValueError:
            return None
    known = out[np.isfinite(out)]
    if not len(known):
        return None
    return np.where(np.isfinite(out), out, np.median(known))


def _text(value: Attribute) -> str | None:
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return None
    return str(value)


def _levels(values: Sequence[str]) -> Float64Array:
    """Return one column of 0 and 1 per frequent level."""
    frequent = [level for level, count in Counter(values).most_common(_MOST_LEVELS) if count > 1]
    return np.array([[float(v == level) for level in sorted(frequent)] for v in values]).reshape(len(values), -1)


def _ending(sample: Sample) -> str:
    for readings in sample.inputs.values():
        if readings:
            return PurePosixPath(readings[0].ref.path).suffix.lower()
    return ""


def _width(look: Glance) -> float:
    return float(look.size[-1])


def _height(look: Glance) -> float:
    return float(look.size[-2])
