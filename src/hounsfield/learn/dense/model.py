"""A dense bundle made ready to run: look, judge window by window, put back row by row on the image's own grid."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from hounsfield.bundle.sealed import Member
from hounsfield.core.image import Image
from hounsfield.core.structures import Structures
from hounsfield.core.types import AnyArray, Float32Array, Float64Array
from hounsfield.data.volume.mapped import release
from hounsfield.geometry.affines import reorient
from hounsfield.learn.dense.case import ArrayRows, Case, Rows
from hounsfield.learn.dense.preparing import DensePreparation, sliced
from hounsfield.learn.dense.rows import CHUNK, RowResizer
from hounsfield.learn.dense.running import WindowRunner
from hounsfield.learn.dense.window import Windows, best_axis, forward, judge_case
from hounsfield.learn.looks import looks
from hounsfield.learn.prepare.image import resize

LOOK_EDGE = 128
"""Longest edge at which the input guard looks at a case."""
LOOK_RANGE = 3.0


@dataclass(frozen=True)
class Answer:
    """What a model says of one case, on the image's own grid.

    Parameters
    ----------
    probabilities : mapping of str to numpy.ndarray
        Target to ``k y x`` or ``k z y x``, float16 or float32, 0 to 1: one for each class, without the background.
    """

    probabilities: Mapping[str, AnyArray] = field(repr=False)


class DenseRunner:
    """Runs members on whole cases.

    Parameters
    ----------
    members : sequence of Member
    windows : Windows
    engine : str
    views : sequence of str
        Axes along which a mirrored view is judged too.
    """

    def __init__(self, members: Sequence[Member], *, windows: Windows, engine: str, views: Sequence[str] = ()) -> None:
        self._runner = WindowRunner(members, engine=engine, views=views)
        self._windows = windows
        job = self._runner.job
        self.preparation: DensePreparation = job.preparation
        self.structures: Mapping[str, Structures] = job.structures

    @property
    def engine(self) -> str:
        """Name of the engine."""
        return self._runner.engine.name

    def case(self, images: Mapping[str, Image]) -> Case:
        """Return a case as the network sees it, made row by row as it is judged."""
        return Case(images, self.preparation)

    def dense(self, prepared: AnyArray) -> dict[str, AnyArray]:
        """Return probabilities on the prepared grid by target, ``k ...`` float16, without the background.

        Parameters
        ----------
        prepared : numpy.ndarray
            ``c ...``
        """
        shape = prepared.shape[1:]
        held = {n: np.empty((len(s.classes), *shape), dtype=np.float16) for n, s in self.structures.items()}
        axis = best_axis(shape, self._windows.reach)
        for rows, found in self._judged(ArrayRows(prepared), axis):
            for name, said in found.items():
                np.moveaxis(held[name], 1 + axis, 1)[:, rows] = said
        return dict(held)

    def answer(self, case: Case) -> Answer:
        """Judge one case.

        Parameters
        ----------
        case : Case
            What `case` returned for its images.
        """
        size = case.first.size
        held = {n: np.empty((len(s.classes), *size), dtype=np.float16) for n, s in self.structures.items()}
        self._put(case, held)
        return Answer(dict(held))

    def mark(
        self,
        case: Case,
        thresholds: Mapping[str, Sequence[float]],
        sheets: Mapping[str, AnyArray] | None = None,
    ) -> dict[str, AnyArray]:
        """Judge one case and keep what is marked only: `labels_of` by target, on the image's own grid.

        Parameters
        ----------
        case : Case
        thresholds : mapping of str to sequence of float
            By target, one for each class.
        sheets : mapping of str to numpy.ndarray or None
            By target, what is filled and returned: uint8, ``p ...``. Where they are mapped from a file, not even the
            answer grows in memory.
        """
        size = case.first.size
        made = sheets or {n: np.empty((s.planes, *size), dtype=np.uint8) for n, s in self.structures.items()}
        self._put(case, made, thresholds)
        return dict(made)

    def _judged(self, case: Rows, axis: int) -> Iterator[tuple[slice, dict[str, Float32Array]]]:
        """Give probabilities ``k n ...`` of rows of the prepared grid, the axis first, without the background."""
        widths = {n: s.width for n, s in self.structures.items()}
        for rows, found in judge_case(case, self._windows, widths, calls=self._runner, axis=axis):
            yield (
                rows,
                {n: found[n][1:] if s.layout == "exclusive" else found[n] for n, s in self.structures.items()},
            )

    def _put(
        self, case: Case, made: Mapping[str, AnyArray], thresholds: Mapping[str, Sequence[float]] | None = None
    ) -> None:
        """Fill arrays on the image's own grid: uint8 with what is marked, others with probabilities."""
        axis = best_axis(case.size, self._windows.reach, case.axes)
        there = {name: _ahead(one, case.first, self.preparation, axis=axis) for name, one in made.items()}
        own = {name: one.shape[1:] for name, one in there.items()}
        resizers = {name: RowResizer(forward(case.size, axis), size) for name, size in own.items()}
        for _, found in self._judged(case, axis):
            for name, said in found.items():
                for rows, values in resizers[name].push(said):
                    if thresholds is None:
                        there[name][:, rows] = values
                    else:
                        # as they would be kept: a threshold was fitted to such
                        kept = values.astype(np.float16)
                        there[name][:, rows] = labels_of(kept, self.structures[name], thresholds[name])
                release(made[name])


def _ahead(array: AnyArray, image: Image, spec: DensePreparation, *, axis: int) -> AnyArray:
    """Return a view of an array on an image's own grid, ``k ...``: lying as what is prepared, an axis first."""
    if spec.orientation == "RAS" and image.ndim == 3 and image.grid is not None:
        array = reorient(array, image.grid.affine_ras)[0]
    return np.moveaxis(sliced(array, spec), 1 + axis, 1)


def labels_of(probabilities: AnyArray, structures: Structures, thresholds: Sequence[float]) -> AnyArray:
    """Return what is marked, as labels.

    Parameters
    ----------
    probabilities : numpy.ndarray
        ``k ...``, without the background.
    structures : Structures
    thresholds : sequence of float
        One for each class; not looked at where classes exclude each other: the most probable one is marked.

    Returns
    -------
    numpy.ndarray
        uint8, ``p ...``: one plane of labels, or one of 0 and 1 for each class.
    """
    made = np.empty((structures.planes, *probabilities.shape[1:]), dtype=np.uint8)
    for rows in _parts(probabilities):
        made[:, rows] = _labels(probabilities[:, rows].astype(np.float32), structures, thresholds)
    return made


def _labels(probabilities: Float32Array, structures: Structures, thresholds: Sequence[float]) -> AnyArray:
    if structures.layout != "exclusive":
        limits = np.asarray(thresholds, dtype=np.float32).reshape(-1, *[1] * (probabilities.ndim - 1))
        return np.asarray(probabilities >= limits, dtype=np.uint8)
    best = np.zeros(probabilities.shape[1:], dtype=np.uint8)
    most: Float32Array = 1.0 - probabilities.sum(axis=0, dtype=np.float32)
    for place, one in enumerate(probabilities, start=1):
        more = one > most
        best[more] = place
        most = np.where(more, one, most)
    return best[None]


def _parts(array: AnyArray) -> Iterator[slice]:
    """Give slices of the first space axis of ``k ...``, so that what is computed of one takes little memory."""
    step = max(1, CHUNK * array.shape[1] // max(1, array.size))
    for start in range(0, array.shape[1], step):
        yield slice(start, start + step)


def case_looks(prepared: AnyArray | Case) -> Float64Array:
    """Describe what kind of picture a prepared case is, for the input guard.

    Parameters
    ----------
    prepared : numpy.ndarray or Case
        ``c ...``, about unit deviation.

    Returns
    -------
    numpy.ndarray
        See `hounsfield.learn.looks.looks`, of the case at an edge of `LOOK_EDGE` at most.
    """
    factor = min(1.0, LOOK_EDGE / max(prepared.shape[1:]))
    size = tuple(max(2, round(n * factor)) for n in prepared.shape[1:])
    small = prepared.shrunk(size) if isinstance(prepared, Case) else resize(prepared.astype(np.float32), size)
    grey = small if small.shape[0] in (1, 3) else small[:1]
    unit = np.clip((grey + LOOK_RANGE) / (2 * LOOK_RANGE), 0.0, 1.0)
    return looks(unit.astype(np.float16))
