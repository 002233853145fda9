"""A thorax slice with lesions: exact CT numbers and exact answers, before any scanner."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hounsfield.science.physics.anatomy import FIELD_MM, Build, render_thorax
from hounsfield.science.physics.lesions import (
    Finding,
    Lesion,
    LesionType,
    distance_inside_mm,
    draw_lesion,
    grade_extent,
    place_lesion,
)
from hounsfield.science.physics.raster import FineGrid


@dataclass(frozen=True)
class ThoraxPhantom:
    """A slice as it is, with what is in it.

    Parameters
    ----------
    hu : ndarray of float32, shape (y, x)
        CT numbers, averaged over the area of each pixel.
    lung_mask, lesion_mask : ndarray of bool, shape (y, x)
        Pixels that are lung (lesions included) or lesion for at least half of their area.
    findings : tuple of Finding
        Lesions as drawn.
    involved : float
        Lesion area over lung area, 0 to 1.
    pixel_mm : float
        Edge of a pixel.
    """

    hu: npt.NDArray[np.float32]
    lung_mask: npt.NDArray[np.bool_]
    lesion_mask: npt.NDArray[np.bool_]
    findings: tuple[Finding, ...]
    involved: float
    pixel_mm: float

    @property
    def lesion_types(self) -> tuple[LesionType, ...]:
        """Kinds that are present, each once, in alphabetical order."""
        return tuple(sorted({finding.kind for finding in self.findings}))

    @property
    def grade(self) -> int:
        """Extent from 0 (none) to 3, see `lesions.grade_extent`."""
        return grade_extent(self.involved)

    @property
    def diameter_mm(self) -> float | None:
        """Long diameter of the largest lesion, None where there is none."""
        return max((finding.diameter_mm for finding in self.findings), default=None)


def thorax_phantom(
    build: Build,
    level: float,
    *,
    wanted: Sequence[tuple[LesionType, float]] = (),
    size: int = 128,
    oversampling: int = 3,
    rng: np.random.Generator,
) -> ThoraxPhantom:
    """Draw a slice through a patient, with lesions.

    Parameters
    ----------
    build : Build
        The patient, see `anatomy.sample_build`.
    level : float
        Height, from 0 (aortic arch) to 1 (dome of the liver).
    wanted : sequence of (kind, diameter in mm), default none
        Lesions to place, largest first is best. One that finds no room is left out.
    size : int, default 128
        Pixels along y and x of the field of view of 384 mm.
    oversampling : int, default 3
        Fine cells per pixel edge.
    rng : numpy.random.Generator

    Returns
    -------
    ThoraxPhantom
    """
    grid = FineGrid(size, FIELD_MM / size, oversampling)
    thorax = render_thorax(build, level, grid=grid, rng=rng)
    lung_share = grid.average(thorax.lung)
    depth_mm = distance_inside_mm(lung_share, grid.pixel_mm)
    mask = np.zeros_like(thorax.lung)
    taken: list[Lesion] = []
    findings: list[Finding] = []
    for kind, diameter_mm in wanted:
        lesion = place_lesion(kind, diameter_mm, depth_mm=depth_mm, taken=taken, pixel_mm=grid.pixel_mm, rng=rng)
        if lesion is None:
            continue
        finding = draw_lesion(thorax.hu, lesion, grid=grid, lung=thorax.lung, mask=mask)
        if finding is not None:
            taken.append(lesion)
            findings.append(finding)
    return ThoraxPhantom(
        hu=grid.average(thorax.hu),
        lung_mask=lung_share >= 0.5,
        lesion_mask=grid.average(mask) >= 0.5,
        findings=tuple(findings),
        involved=sum(finding.area_mm2 for finding in findings) / max(float(thorax.lung.sum()) * grid.step_mm**2, 1.0),
        pixel_mm=grid.pixel_mm,
    )
