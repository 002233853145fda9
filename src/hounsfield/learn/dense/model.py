"""A dense bundle made ready to run: prepare, look, judge window by window, put back on the image's own grid."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from hounsfield.bundle.sealed import Member
from hounsfield.core.image import Image
from hounsfield.core.structures import Structures
from hounsfield.core.types import AnyArray, Float32Array, Float64Array
from hounsfield.learn.dense.preparing import DensePreparation, prepare_images, put_back
from hounsfield.learn.dense.running import WindowRunner
from hounsfield.learn.dense.window import Windows, judge_case
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

    def prepared(self, images: Mapping[str, Image]) -> Float32Array:
        """Return a case as the network sees it, ``c ...`` float32."""
        return prepare_images(images, self.preparation)

    def dense(self, prepared: AnyArray) -> dict[str, AnyArray]:
        """Return probabilities on the prepared grid by target, ``k ...`` float16, without the background.

        Parameters
        ----------
        prepared : numpy.ndarray
            ``c ...``
        """
        shape = prepared.shape[1:]
        held = {n: np.empty((len(s.classes), *shape), dtype=np.float16) for n, s in self.structures.items()}
        widths = {n: s.width for n, s in self.structures.items()}
        many = max(1, 8 * 2**18 // max(1, int(np.prod(self._windows.size))))
        for rows, found in judge_case(prepared, self._windows, widths, calls=self._runner, at_once=many):
            for name, one in self.structures.items():
                said = found[name][1:] if one.layout == "exclusive" else found[name]
                held[name][:, rows] = said
        return dict(held)

    def answer(self, images: Mapping[str, Image], prepared: Float32Array | None = None) -> Answer:
        """Judge one case.

        Parameters
        ----------
        images : mapping of str to Image
            By input name.
        prepared : numpy.ndarray or None
            What `prepared` returned for them, where it is there already.
        """
        ready = self.prepared(images) if prepared is None else prepared
        first = images[next(iter(self.preparation.channels))]
        return Answer({name: self._back(said, first) for name, said in self.dense(ready).items()})

    def _back(self, said: AnyArray, image: Image) -> AnyArray:
        spec = self.preparation
        if said.shape[1:] == image.size and spec.orientation == "stored" and not spec.first:
            return said
        parts = [put_back(one[None].astype(np.float32), image, self.preparation)[0] for one in said]
        return np.stack([part.astype(np.float16) for part in parts])


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
    if structures.layout != "exclusive":
        limits = np.asarray(thresholds, dtype=np.float32).reshape(-1, *[1] * (probabilities.ndim - 1))
        return np.asarray(probabilities.astype(np.float32) >= limits, dtype=np.uint8)
    best = np.zeros(probabilities.shape[1:], dtype=np.uint8)
    most: Float32Array = 1.0 - probabilities.sum(axis=0, dtype=np.float32)
    for place, one in enumerate(probabilities.astype(np.float32, copy=False), start=1):
        more = one > most
        best[more] = place
        most = np.where(more, one, most)
    return best[None]


def case_looks(prepared: AnyArray) -> Float64Array:
    """Describe what kind of picture a prepared case is, for the input guard.

    Parameters
    ----------
    prepared : numpy.ndarray
        ``c ...``, about unit deviation.

    Returns
    -------
    numpy.ndarray
        See `hounsfield.learn.looks.looks`, of the case at an edge of `LOOK_EDGE` at most.
    """
    values = np.asarray(prepared, dtype=np.float32)
    factor = min(1.0, LOOK_EDGE / max(values.shape[1:]))
    small = resize(values, tuple(max(2, round(n * factor)) for n in values.shape[1:]))
    grey = small if small.shape[0] in (1, 3) else small[:1]
    unit = np.clip((grey + LOOK_RANGE) / (2 * LOOK_RANGE), 0.0, 1.0)
    return looks(unit.astype(np.float16))
