"""Pictures of a measurement: every region with its histogram and a map of a feature, and how features go together."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hounsfield.bundle.atomic import check_folder, make_folder, write_text
from hounsfield.core.errors import HounsfieldError, ReadError, RunExistsError
from hounsfield.core.progress import SILENT, Progress
from hounsfield.core.types import AnyArray
from hounsfield.science.radiomics.settings import Settings
from hounsfield.workflow.measure_regions import Key, Seen, seen
from hounsfield.workflow.measured import Measured

MAP = "cm_joint_entr"
"""Feature of which a map is drawn where none is asked for: joint entropy of neighbours, high where texture is rough."""
MARGIN = 8
"""Voxels shown around a region."""
LEAST = 3
"""Regions from which on correlations of features are drawn; of fewer, all are -1, 0 or 1."""


@dataclass(frozen=True)
class Pictures:
    """What was drawn.

    Parameters
    ----------
    names : tuple of str
        Files in the folder, in the order of the table's rows, correlations last.
    without : tuple of str
        What could not be drawn, and why.
    """

    names: tuple[str, ...]
    without: tuple[str, ...] = ()


def check_pictures(folder: Path, tag: str | None) -> None:
    """Raise before anything is measured: RunExistsError if the folder holds something, InputError for an odd tag."""
    from hounsfield.science.radiomics.parameter_maps import family_of

    if tag is not None:
        family_of(tag)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RunExistsError(
            f"{folder.name} exists already and is not empty.",
            expected="a new or an empty folder",
            next_step="choose another --pictures",
        )


def draw(
    measured: Measured,
    sources: tuple[Path, Path],
    folder: Path,
    *,
    tag: str | None = None,
    progress: Progress = SILENT,
) -> Pictures:
    """Draw every region that was measured, and the correlations of features where there are enough.

    Parameters
    ----------
    measured : Measured
    sources : pair of pathlib.Path
        Images and masks.
    folder : pathlib.Path
        Becomes ``region-00001.svg`` and so on, numbered as the rows are, and ``correlations.svg``.
    tag : str or None
        Feature of which a map is drawn; None takes `MAP`.
    progress : Progress

    Raises
    ------
    RunExistsError
        If the folder holds something.
    InputError
        If there is no map of the feature.
    """
    check_pictures(folder, tag)
    make_folder(folder)
    check_folder(folder)
    rows: dict[Key, int] = {(r.case, r.mask, r.label, r.part): n for n, r in enumerate(measured.rows, start=1)}
    names, without = [], []
    with progress.step("Drawing", len(rows)) as shown:
        for region in seen(*sources, parts=measured.record.parts):
            number = rows.get(region.key)
            if number is None:
                continue
            name = f"region-{number:05d}.svg"
            try:
                write_text(folder / name, _region(region, measured.record.settings, tag, number))
                names.append(name)
            except HounsfieldError as error:
                without.append(f"{name}: {error.found.rstrip('.')}")
            shown.advance()
    drawn = _correlations(measured)
    if drawn:
        write_text(folder / "correlations.svg", drawn)
        names.append("correlations.svg")
    else:
        without.append(f"correlations.svg: fewer than {LEAST} regions, or fewer than two features that differ")
    return Pictures(tuple(names), tuple(without))


def _region(region: Seen, settings: Settings, tag: str | None, number: int) -> str:
    from hounsfield.science.radiomics.parameter_maps import parameter_map
    from hounsfield.stages.reporting.region_pictures import Shown, region_svg

    box = region.outline.box
    inside = region.outline.within(box)
    values = np.asarray(region.scene.array)
    depth = box[0].start + int(inside.sum(axis=(1, 2)).argmax())
    wide = tuple(
        slice(max(0, b.start - MARGIN), min(n, b.stop + MARGIN)) for b, n in zip(box[1:], values.shape[1:], strict=True)
    )
    # of the other slices a neighbourhood needs two to each side
    first = max(0, depth - 2)
    near = values[first : depth + 3, wide[0], wide[1]]
    chosen = tag or (f"{MAP}_2D_avg" if len(values) == 1 or settings.dimensions == "2D" else f"{MAP}_3D_avg")
    mask = np.asarray(region.outline.labels[depth, wide[0], wide[1]] == region.outline.label)
    plane = near[depth - first].astype(np.float64)
    feature = None
    try:
        found = parameter_map(
            near, region.scene.spacing_mm, depth=depth - first, tag=chosen, how=settings.discretisation
        )
        spread = found.values.repeat(found.step, axis=0).repeat(found.step, axis=1)
        feature = _facing(spread[: plane.shape[0], : plane.shape[1]], region).astype(np.float64)
    except ReadError:
        # what the settings take as grey levels may be none beside the region: the other panels are still to be seen
        chosen = ""
    held = values[box][inside].astype(np.float64)
    case, name, label, part = region.key
    words = [case, name, f"label {label}", f"part {part}" if part else "", f"slice {depth + 1} of {len(values)}"]
    shown = Shown(
        title=f"{number}: {', '.join(w for w in words if w)}",
        plane=_facing(plane, region).astype(np.float64),
        mask=_facing(mask, region).astype(np.bool_),
        spacing_mm=(region.scene.spacing_mm[1], region.scene.spacing_mm[2]),
        inside=held,
        feature=feature,
        feature_name=chosen,
    )
    return region_svg(shown)


def _facing(plane: AnyArray, region: Seen) -> AnyArray:
    """Return an axial slice as radiologists see it: the front above, the patient's right on the left."""
    grid = region.image.grid
    if grid is None or region.scene.planar:
        return plane
    affine = grid.affine_ras
    lengths = np.abs(affine[:3, :3])
    if lengths[:, 0].argmax() != 0 or lengths[:, 1].argmax() != 1:
        return plane
    rows, columns = (slice(None, None, -1 if affine[n, n] > 0 else 1) for n in (1, 0))
    return np.asarray(plane[rows, columns])


def _correlations(measured: Measured) -> str:
    from hounsfield.science.radiomics.redundancy import clustered, rank_correlations
    from hounsfield.stages.reporting.region_pictures import correlations_svg

    values = np.array([[r.values.get(t, np.nan) for t in measured.tags] for r in measured.rows], dtype=np.float64)
    usable = np.isfinite(values).all(axis=0) & (np.ptp(np.nan_to_num(values), axis=0) > 0)
    if len(values) < LEAST or usable.sum() < 2:
        return ""
    found = rank_correlations(values[:, usable])
    order = clustered(found)
    names = [t for t, keep in zip(measured.tags, usable, strict=True) if keep]
    return correlations_svg(found[np.ix_(order, order)], [names[n] for n in order])
