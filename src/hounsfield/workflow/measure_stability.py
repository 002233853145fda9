"""Stability of a measurement: every region measured again and again, a little changed each time."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict

from hounsfield.bundle.atomic import write_json, write_text
from hounsfield.core.errors import HounsfieldError, InputError
from hounsfield.core.progress import SILENT, Progress
from hounsfield.core.streams import stream
from hounsfield.core.types import AnyArray, BoolArray, FloatArray, Json
from hounsfield.science.radiomics.perturbation import Extent, draw
from hounsfield.science.radiomics.settings import Settings
from hounsfield.science.radiomics.stability import LEAST, Case, Repeats, Stability, repeated, stabilities, stable
from hounsfield.workflow.measure_regions import Seen, seen

if TYPE_CHECKING:
    from hounsfield.science.radiomics.region import Scene

MOST_REPEATS = 1000
CONFIDENCE = 0.95
MARGIN_MM = 10.0
"""Around a region: what the sphere of local intensity and a moved contour reach."""


class StabilityRow(BaseModel):
    """One feature.

    Attributes
    ----------
    feature : str
        Its tag.
    icc, low, high : float or None
        ICC(1,1) with the limits of its interval; None where it is undefined.
    regions : int
        That it was computed from.
    goes_on : bool
        Whether the lower limit is high enough.
    reason : str
        Why it is undefined.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    feature: str
    icc: float | None
    low: float | None
    high: float | None
    regions: int
    goes_on: bool
    reason: str


@dataclass(frozen=True)
class Stable:
    """Stability of every feature of a measurement.

    Parameters
    ----------
    rows : tuple of StabilityRow
    repeats, seed : int
    extent : Extent
        Noise is the share of each image's own.
    """

    rows: tuple[StabilityRow, ...]
    repeats: int
    seed: int
    extent: Extent

    @property
    def going_on(self) -> tuple[str, ...]:
        """Tags of features whose lower limit is above `LEAST`."""
        return tuple(r.feature for r in self.rows if r.goes_on)


def check_repeats(repeats: int) -> None:
    """Raise InputError unless a region can be measured so often."""
    if not 2 <= repeats <= MOST_REPEATS:
        raise InputError(
            f"{repeats} perturbations of each region were asked for.",
            expected=f"from 2 to {MOST_REPEATS}; 10 to 30 as a rule",
            next_step="correct --stability",
        )


def measure_stability(
    sources: tuple[Path, Path],
    settings: Settings,
    *,
    repeats: int,
    parts: bool = False,
    seed: int = 0,
    progress: Progress = SILENT,
) -> Stable:
    """Turn, shift, blur by noise and redraw every region several times, and measure it each time.

    Parameters
    ----------
    sources : pair of pathlib.Path
        Images and masks.
    settings : Settings
    repeats : int
        Of each region.
    parts : bool
    seed : int
    progress : Progress

    Returns
    -------
    Stable
        The same for the same seed.

    Raises
    ------
    InputError
        If the number of repeats is out of range, or no region could be measured.

    Notes
    -----
    Changes are those of `hounsfield.science.radiomics.perturbation.Extent`, with as much noise again as the image has.
    Regions are taken as independent of one another: several of a patient make intervals too narrow. Shape of regions of
    a plane, and of images that do not say how large their voxels are, is measured as it is without: not at all.
    """
    check_repeats(repeats)
    extent = Extent(noise=1.0)
    found: list[Repeats] = []
    with progress.step("Repeating", None) as shown:
        for number, region in enumerate(seen(*sources, parts=parts)):
            found.append(_repeats(region, settings, extent, (repeats, seed, number)))
            shown.advance()
    names = tuple(dict.fromkeys(n for one in found for n in one.names))
    if not names:
        raise InputError(
            f"None of {len(found)} regions could be measured again.",
            expected="regions that are not empty, of finite intensities",
            next_step="look at what was set aside",
        )
    held = Repeats(names, np.stack([_laid(one, names, repeats) for one in found]))
    by_name = stabilities(held, confidence=CONFIDENCE)
    on = frozenset(stable(by_name, least=LEAST))
    rows = tuple(_row(name, one, goes_on=name in on) for name, one in by_name.items())
    return Stable(rows, repeats, seed, extent)


def stability_files(out: Path) -> tuple[Path, Path]:
    """Return the names of the table and of what gave it, beside a Parquet file."""
    return out.with_name(f"{out.stem}_stability.csv"), out.with_name(f"{out.stem}_stability.json")


def write_stability(found: Stable, out: Path) -> None:
    """Write the stability of features beside the table ``out``, as CSV and, with what gave it, as JSON."""
    table, record = stability_files(out)
    write_text(table, _csv(found.rows))
    told: dict[str, Json] = {
        "schema_version": 1,
        "repeats": found.repeats,
        "seed": found.seed,
        "extent": dict(asdict(found.extent)),
        "noise_unit": "the image's own noise",
        "confidence": CONFIDENCE,
        "lower_limit_above": LEAST,
        "going_on": list(found.going_on),
    }
    write_json(record, told)


def _csv(rows: Sequence[StabilityRow]) -> str:
    """Return rows as CSV; empty where there is no value, numbers so that they read back exactly."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(StabilityRow.model_fields)
    for row in rows:
        writer.writerow(["" if value is None else value for value in row.model_dump().values()])
    return out.getvalue()


def _row(name: str, one: Stability, *, goes_on: bool) -> StabilityRow:
    icc, low, high = (float(v) if np.isfinite(v) else None for v in (one.icc, one.low, one.high))
    return StabilityRow(
        feature=name, icc=icc, low=low, high=high, regions=one.regions, goes_on=goes_on, reason=one.reason
    )


def _laid(one: Repeats, names: tuple[str, ...], repeats: int) -> AnyArray:
    """Return one region's values in the order of all names, NaN where it has none."""
    made = np.full((repeats, len(names)), np.nan)
    place = {name: n for n, name in enumerate(names)}
    for column, name in enumerate(one.names):
        made[:, place[name]] = one.values[0, :, column]
    return made


def _repeats(region: Seen, settings: Settings, extent: Extent, told: tuple[int, int, int]) -> Repeats:
    from hounsfield.science.radiomics.noise_level import noise_level
    from hounsfield.science.radiomics.region import Scene

    repeats, seed, number = told
    spacing = region.scene.spacing_mm
    box = _around(region, settings)
    array = np.ascontiguousarray(region.scene.array[box])
    mask = region.outline.within(box)
    used = settings if region.placed else settings.model_copy(update={"interpolation": None})
    noise = extent.noise * noise_level(array)
    changes = draw(replace(extent, noise=noise), repeats, stream(seed, "stability", sample=number))
    apart = spacing
    if region.scene.planar:
        # a plane has nothing beside it to be shifted to, and its contour is drawn within it
        changes = tuple(replace(c, shift_voxels=(0.0, *c.shift_voxels[1:])) for c in changes)
        apart = (1e6, *spacing[1:])

    def features(image: FloatArray, changed: BoolArray) -> Mapping[str, float]:
        return _measured(Scene(image, spacing, planar=region.scene.planar), changed, used, placed=region.placed)

    return repeated([Case(array, mask, apart)], features, lambda _: changes)


def _measured(scene: "Scene", mask: BoolArray, settings: Settings, *, placed: bool) -> Mapping[str, float]:
    from hounsfield.science.radiomics.extraction import features
    from hounsfield.science.radiomics.region import Outline, bounds, process
    from hounsfield.science.radiomics.responses import Filtered

    try:
        region = process(scene, Outline(mask.astype(np.uint8), 1, bounds(mask)), settings)
        values, _ = features(region, settings, placed=placed)
        more, _ = Filtered(scene, settings, placed=placed).measured(region)
    except HounsfieldError:
        # the changed region cannot be measured: its features are missing, and the region is left out of their ICC
        return {}
    return {**values, **more}


def _around(region: Seen, settings: Settings) -> tuple[slice, slice, slice]:
    """Return the box around a region that its features, turned by a little, depend on."""
    reach = _reach_mm(region, settings)
    cut = []
    for b, n, side in zip(region.outline.box, region.scene.array.shape, region.scene.spacing_mm, strict=True):
        # turned by 5 degrees, a corner moves by a tenth of the region's size
        margin = n if reach is None else int(np.ceil((MARGIN_MM + reach) / side + 0.1 * (b.stop - b.start))) + 2
        cut.append(slice(max(0, b.start - margin), min(n, b.stop + margin)))
    return cut[0], cut[1], cut[2]


def _reach_mm(region: Seen, settings: Settings) -> float | None:
    """Return how far filters look, mm; None where every voxel of the image counts."""
    from hounsfield.science.radiomics.region import grid_axes, scene_spacing
    from hounsfield.science.radiomics.responses import built

    used = settings if region.placed else settings.model_copy(update={"interpolation": None})
    spacing = scene_spacing(grid_axes(region.scene, used))
    far = 0.0
    for response in settings.filters:
        one = built(response.filter, response.parameters)
        reach = one.reach(spacing)
        if reach is None or one.boundary == "periodic":
            return None
        far = max(far, *(r * s for r, s in zip(reach, spacing, strict=True)))
    return far
