"""Responses: features of filtered images in the same regions (IBSI-2, phase 2)."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from enum import Enum
from functools import lru_cache
from math import nan

import numpy as np

from hounsfield.core.errors import InputError, unknown_name
from hounsfield.core.types import FloatArray
from hounsfield.science.radiomics.extraction import features, tags
from hounsfield.science.radiomics.filters import resolve
from hounsfield.science.radiomics.filters.boundaries import Boundary
from hounsfield.science.radiomics.filters.protocol import ImageFilter
from hounsfield.science.radiomics.interpolation import Axis
from hounsfield.science.radiomics.local_intensity import margin
from hounsfield.science.radiomics.reasons import reasons
from hounsfield.science.radiomics.region import Box, Region, Scene, grid_axes, intensities_on, scene_spacing
from hounsfield.science.radiomics.settings import Parameter, Resegmentation, Response, Settings

Found = tuple[dict[str, float], dict[str, str]]
"""Values by tag, and the reasons of those that are NaN."""


def built(name: str, parameters: Mapping[str, object]) -> ImageFilter:
    """Return a filter from its name and parameters as a file states them.

    Parameters
    ----------
    name : str
    parameters : mapping
        Those left out are the filter's defaults.

    Raises
    ------
    UnknownNameError
        If there is no such filter, or it has no such parameter.
    InputError
        If a parameter is of another kind or not possible.
    """
    from pydantic import TypeAdapter, ValidationError

    kind = resolve(name)
    known = {f.name for f in fields(kind)}  # type: ignore[arg-type]  # filters are dataclasses, by their protocol
    for key in parameters:
        if key not in known:
            raise unknown_name(f"parameter of the filter {name}", str(key), sorted(known))
    try:
        made: ImageFilter = TypeAdapter(kind).validate_python(dict(parameters))
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(
            f"Filter {name}: {'.'.join(str(p) for p in first['loc'])}: {first['msg']}.",
            expected=f"the parameters of {name}: {', '.join(sorted(known))}",
            next_step="correct the value in the settings",
        ) from error
    return made


def filled(name: str, parameters: Mapping[str, object]) -> dict[str, Parameter]:
    """Return all parameters of a filter, those that are not given too, as a file may state them; see `built`."""
    made = asdict(built(name, parameters))  # type: ignore[call-overload]  # a dataclass, as above
    return {key: value.value if isinstance(value, Enum) else value for key, value in made.items()}


class Filtered:
    """The filters of an image: responses where regions lie.

    Parameters
    ----------
    scene : Scene
    settings : Settings
        As they apply to this image.
    placed : bool
        Whether the image says how large its voxels are.

    Notes
    -----
    A filter of finite reach is applied to a region's box with that margin, which gives the same response there as the
    whole image; one that is defined by its Fourier transform is applied once to the whole image, whose response is
    kept until the image is done: 8 bytes for each voxel of the interpolated image and such filter.
    """

    def __init__(self, scene: Scene, settings: Settings, *, placed: bool) -> None:
        self._scene, self._settings, self._placed = scene, settings, placed
        self._whole = lru_cache(maxsize=None)(self._whole_response)

    def measured(self, region: Region) -> Found:
        """Return features of every response in a region, tags preceded by the filter's name.

        Raises
        ------
        ReadError
            If a response cannot be discretised as the settings say.
        """
        values: dict[str, float] = {}
        missing: dict[str, str] = {}
        for number, response in enumerate(self._settings.filters):
            found, why = self._one(number, response, region)
            values |= {f"{response.name}_{tag}": value for tag, value in found.items()}
            missing |= {f"{response.name}_{tag}": reason for tag, reason in why.items()}
        return values, missing

    def _one(self, number: int, response: Response, region: Region) -> Found:
        used = built(response.filter, response.parameters)
        how = self._settings.model_copy(
            update={
                "families": response.families,
                "features": (),
                "discretisation": response.discretisation,
                "volume_histogram": response.discretisation,
                # which voxels count was decided on the image itself
                "resegmentation": Resegmentation(),
            }
        )
        reason = self._impossible(used)
        box, inner = _around(region, how)
        made = None
        if not reason:
            try:
                made = self._response(number, used, box)
            except InputError as error:
                reason = error.found.rstrip(".")
        if made is None:
            names = tags(how, planar_image=region.planar)
            return dict.fromkeys(names, nan), dict.fromkeys(names, f"not filtered: {reason[0].lower()}{reason[1:]}")
        around = made.astype(np.float64)
        values, facts = features(replace(region, around=around, inner=inner), how, placed=self._placed)
        return values, reasons(values, facts)

    def _impossible(self, used: ImageFilter) -> str:
        if self._scene.planar and used.ndim == 3:
            return "the filter is of volumes, the image is a plane"
        lengths = [f.name for f in fields(used) if f.name.endswith("_mm")]  # type: ignore[arg-type]  # a dataclass
        if lengths and not self._placed:
            return "the image does not say how large its voxels are"
        return ""

    def _response(self, number: int, used: ImageFilter, box: Box) -> FloatArray:
        """Return a response within a box of the grid."""
        axes = grid_axes(self._scene, self._settings)
        spacing = scene_spacing(axes)
        reach = used.reach(spacing)
        # what lies beyond one edge of a periodic image is its other edge
        within = reach is not None and all(
            r == 0 or (b.start >= r and b.stop + r <= len(a.places)) for a, b, r in zip(axes, box, reach, strict=True)
        )
        if reach is None or (used.boundary == Boundary.PERIODIC and not within):
            return self._whole(number)[box]
        wide = _widened(box, reach, [len(a.places) for a in axes])
        cut = [Axis(a.places[w], a.spacing_mm) for a, w in zip(axes, wide, strict=True)]
        made = used.apply(intensities_on(self._scene, self._settings, cut), spacing)
        z, y, x = (slice(b.start - w.start, b.stop - w.start) for b, w in zip(box, wide, strict=True))
        return made[z, y, x]

    def _whole_response(self, number: int) -> FloatArray:
        response = self._settings.filters[number]
        axes = grid_axes(self._scene, self._settings)
        values = intensities_on(self._scene, self._settings, axes)
        return built(response.filter, response.parameters).apply(values, scene_spacing(axes))


def _around(region: Region, how: Settings) -> tuple[Box, Box]:
    """Return where a region's box, with what a sphere of 1 cm³ reaches where that counts, lies, and the box in it."""
    reach = margin(region.spacing_mm) if "loc" in how.families else (0, 0, 0)
    wide = _widened(region.box, (0, *reach[1:]) if region.planar else reach, region.grid)
    z, y, x = (slice(b.start - w.start, b.stop - w.start) for b, w in zip(region.box, wide, strict=True))
    return wide, (z, y, x)


def _widened(box: Box, reach: Sequence[int], grid: Sequence[int]) -> Box:
    z, y, x = (slice(max(0, b.start - r), min(n, b.stop + r)) for b, r, n in zip(box, reach, grid, strict=True))
    return z, y, x
