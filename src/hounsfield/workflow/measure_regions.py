"""Regions: every region of a measurement again, with its image, for what is made beside the table."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hounsfield.core.errors import HounsfieldError, ReadError
from hounsfield.core.image import Image
from hounsfield.workflow.measure_cases import find_cases, one_channel

if TYPE_CHECKING:
    from hounsfield.science.radiomics.region import Outline, Scene

Key = tuple[str, str, int, int]
"""Case, mask, label and part: what names a row."""


@dataclass(frozen=True)
class Seen:
    """One region with the image that it lies in.

    Parameters
    ----------
    key : tuple
        What names its row of the table.
    image : Image
    scene : Scene
    outline : Outline
    """

    key: Key
    image: Image = field(repr=False)
    scene: "Scene" = field(repr=False)
    outline: "Outline" = field(repr=False)

    @property
    def placed(self) -> bool:
        """Whether the image says how large its voxels are."""
        return self.image.grid is not None


def seen(images: Path, masks: Path, *, parts: bool) -> Iterator[Seen]:
    """Yield every region that can be read, in the order of the table, one image in memory at a time.

    Parameters
    ----------
    images, masks : pathlib.Path
        As `hounsfield.workflow.measuring.measure` takes them.
    parts : bool
        Whether each connected part of a label is a region of its own.

    Notes
    -----
    What cannot be read is left out silently: the measurement has set it aside with the reason.
    """
    from hounsfield.science.radiomics.labels import marked, whole_numbers
    from hounsfield.science.radiomics.region import Scene

    cases, _ = find_cases(images, masks)
    for case in cases:
        try:
            loaded = case.load()
            array = one_channel(loaded.image.array)
        except HounsfieldError:
            continue
        grid = loaded.image.grid
        spacing = grid.spacing_mm[::-1] if grid is not None else (1.0, 1.0, 1.0)
        scene = Scene(array if array.ndim == 3 else array[None], spacing, planar=array.ndim == 2)
        for mask in loaded.masks:
            try:
                labels = whole_numbers(mask.labels.reshape(scene.array.shape))
            except ReadError:
                continue
            for region in marked(labels, parts=parts):
                key = (case.name, mask.name, region.label, region.part)
                yield Seen(key, loaded.image, scene, region.outline)
