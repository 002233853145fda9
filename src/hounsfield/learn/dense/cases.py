"""Prepared cases of any size in two memory maps, and where in them something is marked."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from hounsfield.core.errors import StorageError
from hounsfield.core.streams import stream
from hounsfield.core.types import AnyArray, Float32Array, IntArray

POINTS = 2000
"""Marked voxels that are remembered of each case and class, to be drawn from: enough for every lesion to be among
them, too few to fill the memory."""


@dataclass(frozen=True)
class Prepared:
    """One case.

    Parameters
    ----------
    image : numpy.ndarray
        ``c y x`` or ``c z y x``, float32.
    labels : numpy.ndarray
        uint8, ``p y x`` or ``p z y x``: the planes of all targets, then one that is 1 where loss and score count.
    """

    image: Float32Array = field(repr=False)
    labels: AnyArray = field(repr=False)


@dataclass(frozen=True)
class Cases:
    """Prepared cases.

    Parameters
    ----------
    images : numpy.ndarray
        float16, flat.
    labels : numpy.ndarray
        uint8, flat.
    shapes : numpy.ndarray
        ``n d``, int64: sizes, ``y x`` or ``z y x``.
    channels, planes : int
        Of images and labels.
    points : numpy.ndarray
        ``m 3``, int64, sorted: case, class (counted over all targets), voxel (flat within the case).
    """

    images: AnyArray = field(repr=False)
    labels: AnyArray = field(repr=False)
    shapes: IntArray = field(repr=False)
    channels: int
    planes: int
    points: IntArray = field(repr=False)

    def __len__(self) -> int:
        return len(self.shapes)

    def _span(self, row: int) -> tuple[int, int]:
        counts = np.prod(self.shapes, axis=1)
        start = int(counts[:row].sum())
        return start, start + int(counts[row])

    def shape(self, row: int) -> tuple[int, ...]:
        """Return the size of a case."""
        return tuple(int(n) for n in self.shapes[row])

    def image(self, row: int) -> AnyArray:
        """Return a case's image, ``c ...`` float16, as a view."""
        start, stop = self._span(row)
        return self.images[start * self.channels : stop * self.channels].reshape(self.channels, *self.shape(row))

    def label(self, row: int) -> AnyArray:
        """Return a case's labels, ``p ...`` uint8, as a view."""
        start, stop = self._span(row)
        return self.labels[start * self.planes : stop * self.planes].reshape(self.planes, *self.shape(row))

    def marked(self, row: int) -> dict[int, IntArray]:
        """Return remembered voxels of a case by class."""
        low, high = np.searchsorted(self.points[:, 0], (row, row + 1))
        own = self.points[low:high]
        return {int(k): own[own[:, 1] == k, 2] for k in np.unique(own[:, 1])}


@dataclass(frozen=True)
class DenseFeed:
    """What a dense learner sees: cases of the training and validation part.

    Parameters
    ----------
    cases : Cases
    train, val : numpy.ndarray
        Rows of the two parts, int64. Nothing of a test part is ever in a feed.
    groups : numpy.ndarray
        Group of each row, int64.
    """

    cases: Cases
    train: IntArray
    val: IntArray
    groups: IntArray

    def with_parts(self, train: IntArray, val: IntArray) -> "DenseFeed":
        """Return the same cases divided otherwise."""
        return replace(self, train=train, val=val)


def fill_cases(folder: Path, key: str, rows: Iterable[Prepared], *, seed: int, layouts: tuple[int, ...]) -> Cases:
    """Write prepared cases one after the other; what is whole there already is kept.

    Parameters
    ----------
    folder : Path
        Where the files shall lie.
    key : str
        What the cases depend on; files of another key are written anew.
    rows : iterable of Prepared
        Not touched if the files are there.
    seed : int
        Of the points that are remembered.
    layouts : tuple of int
        For each plane of the labels the number of classes in it; 0 for the plane of the region.

    Raises
    ------
    StorageError
        If the files cannot be written whole.
    """
    try:
        if not _whole(folder, key):
            _write(folder, key, rows, seed, layouts)
    except OSError as error:
        raise StorageError(
            "The prepared images could not be written.",
            expected="free space beside the run",
            next_step="free space or choose another --out, then give the same command again",
        ) from error
    return open_cases(folder)


def open_cases(folder: Path) -> Cases:
    """Open what `fill_cases` wrote."""
    facts = json.loads((folder / "cases.json").read_text(encoding="utf-8"))
    points: IntArray = np.load(folder / "cases-points.npy", allow_pickle=False)
    return Cases(
        images=np.memmap(folder / "cases-images.raw", dtype=np.float16, mode="r"),
        labels=np.memmap(folder / "cases-labels.raw", dtype=np.uint8, mode="r"),
        shapes=np.array(facts["shapes"], dtype=np.int64),
        channels=int(facts["channels"]),
        planes=int(facts["planes"]),
        points=points,
    )


def _whole(folder: Path, key: str) -> bool:
    path = folder / "cases.json"
    if not path.exists():
        return False
    try:
        return bool(json.loads(path.read_text(encoding="utf-8"))["key"] == key)
    except (ValueError, KeyError):
        return False


def _write(folder: Path, key: str, rows: Iterable[Prepared], seed: int, layouts: tuple[int, ...]) -> None:
    shapes: list[list[int]] = []
    points: list[IntArray] = []
    channels = planes = 0
    with (folder / "cases-images.raw").open("wb") as images, (folder / "cases-labels.raw").open("wb") as labels:
        for row, case in enumerate(rows):
            channels, planes = case.image.shape[0], case.labels.shape[0]
            shapes.append([int(n) for n in case.image.shape[1:]])
            images.write(np.ascontiguousarray(case.image, dtype=np.float16).data)
            labels.write(np.ascontiguousarray(case.labels, dtype=np.uint8).data)
            points.append(_points(case.labels, row, seed, layouts))
    np.save(folder / "cases-points.npy", np.concatenate(points) if points else np.zeros((0, 3), dtype=np.int64))
    facts = {"key": key, "shapes": shapes, "channels": channels, "planes": planes}
    draft = folder / "cases.draft"
    draft.write_text(json.dumps(facts), encoding="utf-8")
    draft.replace(folder / "cases.json")  # last: what has it is whole


def _points(labels: AnyArray, row: int, seed: int, layouts: tuple[int, ...]) -> IntArray:
    found = []
    first = 0
    generator = stream(seed, "points", 0, row)
    for plane, classes in zip(labels, layouts, strict=True):
        flat = plane.ravel()
        for value in range(1, classes + 1):
            places = np.flatnonzero(flat == value).astype(np.int64)
            if len(places) > POINTS:
                places = np.sort(generator.choice(places, POINTS, replace=False))
            own = np.full((len(places), 3), (row, first + value - 1, 0), dtype=np.int64)
            own[:, 2] = places
            found.append(own)
        first += classes
    return np.concatenate(found) if found else np.zeros((0, 3), dtype=np.int64)
