"""Embeddings: what the encoders of a fitted model make of images, before any head."""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from hounsfield.bundle.sealed import BundleContents
from hounsfield.core.errors import BundleError, PlanError
from hounsfield.core.image import Image
from hounsfield.core.types import AnyArray, Float64Array
from hounsfield.learn.learners.network_runner import RUN_BATCH
from hounsfield.learn.model import EMBEDDING, member_job, runner


class Embedder:
    """The encoders of a fitted model.

    Parameters
    ----------
    contents : BundleContents
        As opened and verified; with one input.

    Raises
    ------
    BundleError
        If it has several inputs, or a member is no network.

    Notes
    -----
    Members of an ensemble were trained apart: the axes of their embeddings mean different things, so that they are put
    side by side and never averaged.
    """

    def __init__(self, contents: BundleContents) -> None:
        preparation = member_job(contents.members[0]).preparation
        if len(preparation) != 1:
            raise BundleError(
                f"The bundle takes {len(preparation)} inputs: {', '.join(preparation)}.",
                expected="a model of one image",
                next_step="choose a model that was trained on one input",
            )
        ((self._input, self._spec),) = preparation.items()
        self._runners = [runner(member) for member in contents.members]

    @property
    def members(self) -> int:
        """How many encoders there are."""
        return len(self._runners)

    def embed(self, images: Iterable[tuple[str, Image]]) -> Iterator[tuple[str, tuple[Float64Array, ...] | str]]:
        """Yield for each image its embedding by each member, or why there is none.

        Parameters
        ----------
        images : iterable of (str, Image)
            Any key, and ``c y x`` or ``c z y x``.

        Yields
        ------
        tuple
            The key, and one ``c`` float64 for each member or one clause.

        Raises
        ------
        BundleError
            If a member puts out no embedding.
        """
        chunk: list[tuple[str, AnyArray | str]] = []
        for key, image in images:
            try:
                chunk.append((key, self._spec.prepared(image)))
            except PlanError as error:
                chunk.append((key, error.found.rstrip(".")))
            if len(chunk) == RUN_BATCH:
                yield from self._embedded(chunk)
                chunk = []
        yield from self._embedded(chunk)

    def _embedded(
        self, chunk: list[tuple[str, AnyArray | str]]
    ) -> Iterator[tuple[str, tuple[Float64Array, ...] | str]]:
        usable = [stored for _, stored in chunk if not isinstance(stored, str)]
        found: list[Float64Array] = []
        if usable:
            inputs: Mapping[str, AnyArray] = {self._input: np.stack(usable)}
            for one in self._runners:
                outputs = one.run(inputs)
                if EMBEDDING not in outputs:
                    raise BundleError(
                        "A member of the bundle puts out no embedding.",
                        expected="a network",
                        next_step="choose a bundle whose model is a network",
                    )
                found.append(outputs[EMBEDDING])
        place = 0
        for key, stored in chunk:
            if isinstance(stored, str):
                yield key, stored
            else:
                yield key, tuple(of[place] for of in found)
                place += 1
