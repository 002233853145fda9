"""Archives with a train, val and test array of images and of labels, as MedMNIST has them."""

import math
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np

from hounsfield.core.cohort import Cohort, InputSpec, Part, Reading, Ref, Roles, Sample, Schema, SetAside, TargetSpec
from hounsfield.core.errors import CohortError, HounsfieldError, ReadError
from hounsfield.core.types import AnyArray
from hounsfield.data.answers import Answers, make_answers
from hounsfield.data.npz import as_channels_first, npz_array, npz_arrays
from hounsfield.data.rows import columns_of, target_without_columns
from hounsfield.data.signal.archive import LONGER, MOST_LEADS, is_turned
from hounsfield.data.words import modality_of

_PARTS: tuple[Part, ...] = ("train", "val", "test")
_NAMINGS = (("{}_images", "{}_labels"), ("X_{}", "y_{}"), ("x_{}", "y_{}"))


class MedmnistLayout:
    """One archive is one data set."""

    def claims(self, root: Path, roles: Roles) -> float:
        """Return .95 for an archive with pairs of arrays, or a folder of such archives and no other images."""
        try:
            return 0.95 if _archives(root) else 0.0
        except (HounsfieldError, OSError):
            return 0.0

    def cohort(self, root: Path, roles: Roles) -> Cohort:
        """Return the cohort; sample ids are part and position, such as ``test_76``."""
        archives = _archives(root)
        if len(archives) != 1:
            names = ", ".join(a.name for a in archives)
            raise CohortError(
                f"The folder holds {len(archives)} data sets: {names}.",
                expected="one",
                next_step=f"name one of the files, such as {archives[0].name}" if archives else "name an .npz file",
            )
        return _cohort(archives[0], roles)


def _archives(root: Path) -> list[Path]:
    if root.is_file():
        return [root] if root.suffix == ".npz" and _images(npz_arrays(root)) else []
    if not root.is_dir():
        return []
    found = sorted(p for p in root.iterdir() if p.suffix == ".npz" and not p.name.startswith("."))
    return [p for p in found if _images(npz_arrays(p))]


def _images(arrays: Mapping[str, tuple[tuple[int, ...], object]]) -> bool:
    pairs = pairs_of(arrays)
    return bool(pairs) and not any(is_series(arrays[x][0]) for x, _ in pairs.values())


def is_series(shape: tuple[int, ...]) -> bool:
    """Tell whether an array holds series and no images: one row each, or few leads that are much longer than many."""
    if len(shape) != 3:
        return len(shape) == 2
    return is_turned(shape) or (shape[1] <= MOST_LEADS and LONGER * shape[1] <= shape[2])


def pairs_of(arrays: Collection[str]) -> dict[Part, tuple[str, str]]:
    """Return part to names of its arrays of images and labels, in the first naming that fits."""
    names = set(arrays)
    for images, labels in _NAMINGS:
        found = {p: (images.format(p), labels.format(p)) for p in _PARTS}
        found = {p: (x, y) for p, (x, y) in found.items() if x in names and y in names}
        if found:
            return found
    return {}


def elements(path: Path) -> list[tuple[str, Ref]]:
    """Return id and ref of every picture in an archive with train, val or test arrays; empty for other archives.

    Raises
    ------
    ReadError
        If it is no archive of arrays.
    """
    arrays = npz_arrays(path)
    images = {p: n.format(p) for n, _ in _NAMINGS for p in _PARTS if n.format(p) in arrays}
    return [
        (f"{p}_{i}", Ref("npz", path.name, (("array", name), ("index", i))))
        for p, name in images.items()
        for i in range(arrays[name][0][0])
    ]


def _cohort(path: Path, roles: Roles) -> Cohort:
    try:
        return _read(path, roles)
    except ReadError as error:
        raise CohortError(error.found, expected=error.expected, next_step=error.next_step) from error


def _read(path: Path, roles: Roles) -> Cohort:
    arrays = npz_arrays(path)
    pairs = pairs_of(arrays)
    shapes = {p: arrays[x][0] for p, (x, _) in pairs.items()}
    some = next(iter(shapes.values()))
    element = as_channels_first(np.broadcast_to(np.zeros((), np.uint8), some[1:]))
    labels = {p: npz_array(path, y) for p, (_, y) in pairs.items()}
    for part, found in labels.items():
        if len(found) != shapes[part][0]:
            raise CohortError(
                f"Part {part} has {shapes[part][0]} images and {len(found)} labels.",
                expected="as many labels as images",
                next_step="correct the archive",
            )
    name = target_without_columns(roles, "label")
    order = [(p, i) for p in _PARTS if p in labels for i in range(len(labels[p]))]
    known = [p != "test" for p, _ in order]
    answers = answers_of(name, np.concatenate([column_of(labels[p]) for p in labels]), roles, known)
    samples, aside = [], []
    for (part, index), value in zip(order, answers.values, strict=True):
        ident = f"{part}_{index}"
        if value is None:
            aside.append(SetAside(sample=ident, reason="no answer"))
            continue
        ref = Ref("npz", path.name, (("array", pairs[part][0]), ("index", index)))
        samples.append(
            Sample(id=ident, patient=ident, inputs={"image": (Reading(ref),)}, targets={name: value}, part=part)
        )
    schema = Schema(
        targets=(answers.spec,),
        inputs=(InputSpec(name="image", ndim=element.ndim - 1, modality=modality_of(path.stem)),),
        layout="medmnist",
        official_parts=tuple(labels),
        columns=columns_of(
            path.name,
            {x: ("image", f"{shapes[p][0]} images of part {p}") for p, (x, _) in pairs.items()}
            | {y: ("target", f"answers of part {p}") for p, (_, y) in pairs.items()},
        ),
        notes=answers.notes,
        unsure=answers.unsure,
    )
    return Cohort(name=path.stem, root=str(path.parent), samples=tuple(samples), schema=schema, set_aside=tuple(aside))


def column_of(labels: AnyArray) -> AnyArray:
    """Return labels with an axis of columns."""
    if labels.ndim == 1:
        return labels[:, None]
    return labels.reshape(len(labels), -1)


def answers_of(name: str, labels: AnyArray, roles: Roles, known: list[bool]) -> Answers:
    """Return the answers in an array of labels, ``n 1`` or one column of 0 and 1 for each class."""
    if labels.shape[1] == 1:
        return make_answers(
            name, tuple(text_of(v) for v in labels[:, 0].tolist()), positive=roles.positive, known=known
        )
    if not np.isin(labels, (0, 1)).all():
        raise CohortError(
            f"Each sample has {labels.shape[1]} labels that are not 0 or 1.",
            expected="one label, or a 0 or 1 for each class",
            next_step="correct the archive",
        )
    classes = tuple(str(k) for k in range(labels.shape[1]))
    values = tuple(tuple(c for c, v in zip(classes, row, strict=True) if v) for row in labels.tolist())
    return Answers(TargetSpec(name=name, kind="multilabel", classes=classes), values)


def text_of(value: object) -> str | None:
    """Return a label as the text of a cell, None where it is missing."""
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return None if value is None else str(value)
