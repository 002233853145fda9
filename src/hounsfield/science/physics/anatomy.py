"""A thorax in cross-section: one patient's build, and what a slice at one level shows."""

from dataclasses import dataclass
from math import atan2, cos, pi, sin
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from hounsfield.science.physics.raster import Ellipse, FineGrid, carve, paint
from hounsfield.science.physics.vessels import airway_tree, pulmonary_vessels

Sex = Literal["F", "M"]

AIR_HU = -1000.0
FIELD_MM = 384.0
"""Edge of the reconstructed field of view."""


@dataclass(frozen=True)
class Build:
    """What stays the same over all slices of a patient; lengths in mm, densities in HU.

    The cavity is the inside of the rib cage, as half width and half depth; the wall is muscle and ribs, the fat lies
    around it. `shift_y_mm` and `shift_x_mm` place the patient on the couch, `skew_mm` moves the mediastinum sideways.
    """

    sex: Sex
    age_years: int
    cavity_x_mm: float
    cavity_y_mm: float
    wall_mm: float
    fat_mm: float
    squareness: float
    skew_mm: float
    shift_y_mm: float
    shift_x_mm: float
    heart: float
    lung_hu: float
    gravity_hu: float
    blood_hu: float
    bone: float
    vascularity: float


@dataclass(frozen=True)
class ThoraxSlice:
    """A rendered slice without lesions, on the fine grid.

    Parameters
    ----------
    hu : ndarray of float32, shape (y, x)
        CT numbers.
    lung : ndarray of bool, shape (y, x)
        Inside of both lungs, vessels included.
    """

    hu: npt.NDArray[np.float32]
    lung: npt.NDArray[np.bool_]


def sample_build(rng: np.random.Generator) -> Build:
    """Draw one patient's build.

    Parameters
    ----------
    rng : numpy.random.Generator

    Returns
    -------
    Build
        The body always fits into the field of view.
    """
    sex: Sex = "F" if rng.random() < 0.48 else "M"
    scale = float(np.clip(rng.normal(0.95 if sex == "F" else 1.03, 0.06), 0.82, 1.12))
    habitus = float(np.clip(rng.beta(2.0, 2.5), 0.02, 0.98))
    cavity_x = 126.0 * scale * float(rng.uniform(0.95, 1.05))
    wall = float(rng.uniform(13.0, 20.0))
    fat = min(4.0 + 28.0 * habitus, 0.5 * FIELD_MM - 12.0 - cavity_x - wall)
    contrast = rng.random() < 0.4
    return Build(
        sex=sex,
        age_years=int(np.clip(rng.normal(60.0, 14.0), 20, 92)),
        cavity_x_mm=cavity_x,
        cavity_y_mm=86.0 * scale * float(rng.uniform(0.9, 1.1)),
        wall_mm=wall,
        fat_mm=max(fat, 4.0),
        squareness=float(rng.uniform(2.1, 2.6)),
        skew_mm=float(rng.normal(0.0, 4.0)),
        shift_y_mm=float(rng.uniform(-8.0, 6.0)),
        shift_x_mm=float(rng.uniform(-5.0, 5.0)),
        heart=float(rng.uniform(0.85, 1.2)),
        lung_hu=float(rng.uniform(-885.0, -790.0)),
        gravity_hu=float(rng.uniform(10.0, 60.0)),
        blood_hu=float(rng.uniform(120.0, 240.0) if contrast else rng.uniform(35.0, 50.0)),
        bone=float(rng.uniform(0.7, 1.2)),
        vascularity=float(rng.uniform(0.75, 1.2)),
    )


def render_thorax(build: Build, level: float, *, grid: FineGrid, rng: np.random.Generator) -> ThoraxSlice:
    """Draw a slice through a patient without lesions.

    Parameters
    ----------
    build : Build
        The patient.
    level : float
        Height, from 0 (aortic arch) to 1 (dome of the liver).
    grid : FineGrid
        Where to draw.
    rng : numpy.random.Generator
        Source of what differs from slice to slice: vessels, texture, ribs.

    Returns
    -------
    ThoraxSlice
        CT numbers and lungs on the fine grid.
    """
    count = grid.size * grid.oversampling
    hu = np.full((count, count), AIR_HU, dtype=np.float32)
    frame = _Frame(build, level, float(rng.uniform(0.985, 1.015)))
    _draw_trunk(hu, grid, frame, rng)
    lung = np.zeros(hu.shape, dtype=bool)
    rows, columns, cover = frame.cavity(0.0).patch(grid)
    lung[rows, columns] = cover > 0.5
    mediastinum = _mediastinum_outline(frame, rng)
    for shape, _ in mediastinum:
        carve(lung, grid, shape)
    hu[lung] = build.lung_hu
    _texture(hu, lung, grid, frame, rng)
    for shape, value in mediastinum:
        paint(hu, grid, shape, value=value)
    _draw_organs(hu, grid, frame, rng)
    _draw_bones(hu, grid, frame, rng)
    for vessel, opacity in pulmonary_vessels(frame.hila(), extent_mm=frame.width, density=build.vascularity, rng=rng):
        paint(hu, grid, vessel, value=min(build.blood_hu, 150.0) - 10.0, opacity=opacity, within=lung)
    for airway, opacity in airway_tree(frame.hila(), rng=rng):
        paint(hu, grid, airway, value=-960.0, opacity=opacity, within=lung)
    return ThoraxSlice(hu=hu, lung=lung)


class _Frame:
    """The patient's landmarks at one level, in the grid's millimetres."""

    def __init__(self, build: Build, level: float, breath: float) -> None:
        self.build, self.level = build, level
        narrowing = 0.80 + 0.20 * min(level / 0.45, 1.0) ** 0.7
        self.width = build.cavity_x_mm * narrowing * breath
        self.depth = build.cavity_y_mm * (0.86 + 0.14 * min(level / 0.5, 1.0)) * breath
        self.y0, self.x0 = build.shift_y_mm, build.shift_x_mm
        self.mid_x = self.x0 + build.skew_mm
        self.spine_y = self.y0 + 0.74 * self.depth

    def cavity(self, grown_mm: float) -> Ellipse:
        return Ellipse(self.y0, self.x0, self.depth + grown_mm, self.width + grown_mm, exponent=self.build.squareness)

    def hila(self) -> tuple[tuple[float, float, float], ...]:
        """Return (y, x, side) of the right and left hilum; side is -1 for the patient's right, drawn on the left."""
        y = self.y0 + 0.02 * self.depth
        return ((y, self.mid_x - 0.27 * self.width, -1.0), (y + 4.0, self.mid_x + 0.29 * self.width, 1.0))


def _draw_trunk(hu: npt.NDArray[np.float32], grid: FineGrid, frame: _Frame, rng: np.random.Generator) -> None:
    """Draw skin, fat, breasts, muscle and the couch."""
    build = frame.build
    outer = frame.cavity(build.wall_mm + build.fat_mm)
    couch_y = outer.y_mm + outer.ry_mm + 6.0
    paint(hu, grid, Ellipse(couch_y - 300.0, 0.0, 304.0, 304.0), value=-250.0)
    paint(hu, grid, Ellipse(couch_y - 300.0, 0.0, 300.0, 300.0), value=AIR_HU)
    fat_hu = float(rng.normal(-103.0, 3.0))
    if build.sex == "F":
        size = 0.75 + build.fat_mm / 30.0
        for side in (-1.0, 1.0):
            x, y = frame.x0 + side * 0.52 * frame.width, frame.y0 - frame.depth - 0.5 * build.wall_mm
            paint(hu, grid, Ellipse(y, x, 30.0 * size, 46.0 * size, side * 0.35), value=fat_hu)
            paint(hu, grid, Ellipse(y - 10.0 * size, x, 9.0 * size, 17.0 * size), value=15.0, opacity=0.6)
    paint(hu, grid, outer, value=20.0)
    paint(hu, grid, frame.cavity(build.wall_mm + build.fat_mm - 1.5), value=fat_hu)
    muscle_hu = float(rng.normal(52.0, 4.0))
    paint(hu, grid, frame.cavity(build.wall_mm), value=muscle_hu)
    for side in (-1.0, 1.0):
        back = frame.spine_y + 34.0
        paint(hu, grid, Ellipse(back, frame.mid_x + side * 26.0, 17.0, 27.0, side * 0.1), value=muscle_hu)
    # fat planes between the muscles keep the wall from being one flat ring
    for _ in range(9):
        angle = float(rng.uniform(0.0, 2.0 * pi))
        y, x, turn = _on_cavity(frame, angle, 0.75 * build.wall_mm)
        paint(hu, grid, Ellipse(y, x, 1.4, float(rng.uniform(8.0, 24.0)), turn), value=fat_hu, opacity=0.7)


def _on_cavity(frame: _Frame, angle: float, outside_mm: float) -> tuple[float, float, float]:
    """Return (y, x, direction of the wall) at an angle around the cavity, some way outside it."""
    power = 2.0 / frame.build.squareness
    width, depth = frame.width + outside_mm, frame.depth + outside_mm

    def point(at: float) -> tuple[float, float]:
        c, s = cos(at), sin(at)
        return depth * np.sign(s) * abs(s) ** power, width * np.sign(c) * abs(c) ** power

    (y, x), (y1, x1) = point(angle), point(angle + 0.02)
    return frame.y0 + y, frame.x0 + x, atan2(y1 - y, x1 - x)


def _mediastinum_outline(frame: _Frame, rng: np.random.Generator) -> list[tuple[Ellipse, float]]:
    """List what is not lung inside the cavity, with its HU: fat around the organs, and the dome of the liver."""
    build, level, x = frame.build, frame.level, frame.mid_x
    fat, liver = -80.0, 60.0
    shapes = [
        Ellipse(frame.y0 - 0.1 * frame.depth, x, 0.95 * frame.depth, 18.0 + 12.0 * max(0.0, 0.5 - level)),
        Ellipse(frame.spine_y + 4.0, x, 25.0, 29.0),
        Ellipse(frame.spine_y + 30.0, x, 24.0, 44.0),
        Ellipse(frame.y0 - 0.05 * frame.depth, x + 2.0, 34.0, 32.0 + float(rng.uniform(0.0, 6.0))),
    ]
    if level > 0.42:
        grown = min((level - 0.42) / 0.3, 1.0) ** 0.5 * build.heart
        shapes.append(
            Ellipse(
                frame.y0 - 0.30 * frame.depth, x + 22.0 + 4.0 * grown, 30.0 + 16.0 * grown, 60.0 * max(grown, 0.9), 0.45
            )
        )
    outline = [(shape, fat) for shape in shapes]
    if level > 0.84:
        dome = (level - 0.84) / 0.16
        reach = 0.22 + 0.16 * dome
        outline.append(
            (
                Ellipse(frame.y0 + 6.0, frame.x0 - 0.52 * frame.width, reach * 1.3 * frame.depth, reach * frame.width),
                liver,
            )
        )
    return outline


def _texture(
    hu: npt.NDArray[np.float32], lung: npt.NDArray[np.bool_], grid: FineGrid, frame: _Frame, rng: np.random.Generator
) -> None:
    """Give the lungs their gradient towards the back and a smooth unevenness, in place."""
    slope = (grid.axis_mm - np.float32(frame.y0)) / np.float32(frame.depth)
    hu += lung * (np.float32(0.5 * frame.build.gravity_hu) * slope)[:, None]
    coarse = np.zeros((grid.size, grid.size), dtype=np.float32)
    for sigma_mm, amplitude in ((5.0, 14.0), (18.0, 14.0)):
        field = ndimage.gaussian_filter(
            rng.standard_normal(coarse.shape, dtype=np.float32), sigma_mm / grid.pixel_mm, mode="wrap"
        )
        coarse += field * np.float32(amplitude / max(float(field.std()), 1e-6))
    fine = coarse.repeat(grid.oversampling, axis=0).repeat(grid.oversampling, axis=1)
    hu += lung * fine


def _draw_organs(hu: npt.NDArray[np.float32], grid: FineGrid, frame: _Frame, rng: np.random.Generator) -> None:
    """Draw heart chambers, great vessels, airways and oesophagus."""
    build, level, x, y = frame.build, frame.level, frame.mid_x, frame.y0
    blood, soft = build.blood_hu, 48.0
    paint(hu, grid, Ellipse(frame.spine_y - 14.0, x + 24.0, 12.0, 12.0), value=blood)
    paint(hu, grid, Ellipse(frame.spine_y - 26.0, x + 4.0, 5.0, 8.0), value=30.0)
    if level < 0.22:
        paint(hu, grid, Ellipse(y - 2.0, x + 9.0, 30.0, 12.5, -0.5), value=blood)
        paint(hu, grid, Ellipse(y - 22.0, x - 20.0, 9.0, 8.0), value=blood)
    elif level < 0.48:
        paint(hu, grid, Ellipse(y - 24.0, x - 9.0, 15.5, 15.5), value=blood)
        paint(hu, grid, Ellipse(y - 18.0, x + 19.0, 12.0, 18.0, -0.5), value=blood)
        paint(hu, grid, Ellipse(y - 12.0, x - 28.0, 8.0, 7.0), value=blood)
    else:
        tilt, grown = 0.45, min((level - 0.42) / 0.3, 1.0) ** 0.5 * build.heart
        cy, cx = y - 0.30 * frame.depth, x + 22.0 + 4.0 * grown
        paint(hu, grid, Ellipse(cy + 1.0, cx, 24.0 + 16.0 * grown, 56.0 * max(grown, 0.95), tilt), value=soft)
        for dy, dx, ry, rx in ((6.0, 20.0, 15.0, 24.0), (-10.0, -10.0, 15.0, 25.0), (18.0, -14.0, 14.0, 18.0)):
            jitter = rng.normal(0.0, 1.5, size=2)
            paint(
                hu,
                grid,
                Ellipse(cy + dy * grown + jitter[0], cx + dx * grown + jitter[1], ry * grown, rx * grown, tilt),
                value=blood,
                opacity=0.9,
            )
    if level < 0.30:
        paint(hu, grid, Ellipse(y + 14.0, x - 2.0, 9.5, 8.5), value=AIR_HU)
    elif level < 0.55:
        spread = 12.0 + 40.0 * (level - 0.30)
        for side in (-1.0, 1.0):
            paint(hu, grid, Ellipse(y + 13.0, x - 2.0 + side * spread, 6.0, 7.5, side * 0.4), value=AIR_HU)


def _draw_bones(hu: npt.NDArray[np.float32], grid: FineGrid, frame: _Frame, rng: np.random.Generator) -> None:
    """Draw spine, sternum, ribs and, high up, the shoulder blades."""
    x, bone = frame.mid_x, frame.build.bone
    cortex, marrow = 480.0 * bone + 60.0, 170.0 * bone + 30.0

    def draw(shape: Ellipse, shell_mm: float) -> None:
        paint(hu, grid, shape, value=cortex)
        inner = Ellipse(
            shape.y_mm, shape.x_mm, shape.ry_mm - shell_mm, shape.rx_mm - shell_mm, shape.angle_rad, shape.exponent
        )
        paint(hu, grid, inner, value=marrow)

    draw(Ellipse(frame.spine_y, x, 14.5, 17.5, exponent=2.4), 1.6)
    back = frame.spine_y + 21.0
    for side in (-1.0, 1.0):
        draw(Ellipse(back - 2.0, x + side * 18.0, 5.0, 15.0, side * 0.35), 1.5)
    paint(hu, grid, Ellipse(back, x, 11.5, 12.5), value=cortex)
    paint(hu, grid, Ellipse(back - 1.0, x, 8.0, 9.0), value=25.0)
    draw(Ellipse(back + 19.0, x, 12.0, 3.6), 1.4)
    top = frame.y0 - frame.depth - 0.45 * frame.build.wall_mm
    draw(Ellipse(top, frame.x0 + 0.5 * frame.build.skew_mm, 5.5, 19.0), 1.5)
    start = float(rng.uniform(0.0, 0.35))
    for side in (-1.0, 1.0):
        for angle in np.arange(-1.12 + start, 1.1, float(rng.uniform(0.36, 0.5))):
            around = angle + float(rng.normal(0.0, 0.04))
            y, rib_x, turn = _on_cavity(frame, around if side > 0 else pi - around, 6.5)
            draw(Ellipse(y, rib_x, float(rng.uniform(3.6, 4.8)), float(rng.uniform(8.0, 21.0)), turn), 1.5)
        if frame.level < 0.4:
            y, blade_x, turn = _on_cavity(frame, 0.75 if side > 0 else pi - 0.75, frame.build.wall_mm + 2.0)
            draw(Ellipse(y, blade_x, 3.2, 30.0, turn), 1.2)
