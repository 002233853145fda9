"""Settings of a measurement: how an image is processed before its features are computed, and which are."""

from functools import lru_cache
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hounsfield.core.errors import InputError, nearest, unknown_name

Method = Literal["none", "number", "width", "equal"]
Prefix = Literal["morph", "loc", "stat", "ih", "ivh", "cm", "rlm", "szm", "dzm", "ngt", "ngl"]
FAMILIES: tuple[Prefix, ...] = ("morph", "loc", "stat", "ih", "ivh", "cm", "rlm", "szm", "dzm", "ngt", "ngl")
"""Prefixes of the tags of the eleven IBSI-1 families."""
Parameter = bool | int | float | str | tuple[int, ...] | None
"""What a parameter of a filter may be."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Discretisation(_Strict):
    """How intensities become grey levels.

    Attributes
    ----------
    method : str
        ``number`` of bins between minimum and maximum; ``width`` of bins, in units of the intensities; ``equal``
        probability; ``none``: intensities are levels already.
    bins : int
        For ``number`` and ``equal``.
    width : float
        For ``width``.
    """

    method: Method
    bins: int = Field(default=32, ge=2, le=1 << 20)
    width: float = Field(default=25.0, gt=0)


class Interpolation(_Strict):
    """On which grid features are computed.

    Attributes
    ----------
    spacing_mm : tuple of (float or None)
        Along x, y, z; None leaves an axis as it is.
    order : int
        1 linear, 3 cubic spline; for the mask always linear.
    round_intensities : bool
        Whether interpolated intensities are rounded to whole numbers, as CT has them.
    mask_threshold : float
        From which interpolated share on a voxel belongs to the region.
    """

    spacing_mm: tuple[float | None, float | None, float | None]
    order: Literal[1, 3] = 1
    round_intensities: bool = False
    mask_threshold: float = Field(default=0.5, gt=0, le=1)

    @model_validator(mode="after")
    def _positive(self) -> "Interpolation":
        if any(s is not None and s <= 0 for s in self.spacing_mm):
            raise ValueError("a spacing is above 0 mm")
        return self


class Resegmentation(_Strict):
    """Which intensities of a region count for everything but its shape.

    Attributes
    ----------
    lowest, highest : float or None
        Ends of the range that is kept, included; None is open.
    outlier_sigma : float or None
        Intensities farther than so many standard deviations from the region's mean are left out.
    """

    lowest: float | None = None
    highest: float | None = None
    outlier_sigma: float | None = Field(default=None, gt=0)


class Response(_Strict):
    """An image filter whose response is measured too.

    Attributes
    ----------
    name : str
        What its columns begin with, lower-case letters, digits and hyphens: ``log-3mm`` gives ``log-3mm_stat_mean``.
    filter : str
        A key of `hounsfield.science.radiomics.filters.FILTERS`.
    parameters : mapping
        The filter's, by name; those that are not given are filled in, so that a record names all of them.
    families : tuple of str
        Of what is computed of the response; not shape, which no filter changes. The reference values of IBSI-2 are of
        ``stat``.
    discretisation : Discretisation
        Of the response, whose unit is not the image's; also of the intensity-volume histogram.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    filter: str
    parameters: dict[str, Parameter] = Field(default_factory=dict)
    families: tuple[Prefix, ...] = ("stat",)
    discretisation: Discretisation = Discretisation(method="number", bins=32)

    @model_validator(mode="before")
    @classmethod
    def _whole(cls, values: object) -> object:
        if not isinstance(values, dict) or not isinstance(values.get("filter"), str):
            return values
        given = values.get("parameters", {})
        if not isinstance(given, dict):
            return values
        from hounsfield.science.radiomics.responses import filled

        return {**values, "parameters": filled(values["filter"], given)}

    @model_validator(mode="after")
    def _sensible(self) -> "Response":
        if self.name in FAMILIES:
            raise ValueError(f"a response is not to be called {self.name}, as a family is")
        if "morph" in self.families:
            raise ValueError("the shape of a region is not a filter's: leave morph out")
        return self


@lru_cache(maxsize=64)
def _with_features(families: tuple[Prefix, ...], features: tuple[str, ...]) -> tuple[Prefix, ...]:
    return tuple(f for f in families if not features or any(n.startswith(f"{f}_") for n in features))


class Settings(_Strict):
    """The whole processing of one measurement.

    Attributes
    ----------
    schema_version : int
    name : str
        What the settings are called.
    dimensions : str
        ``2D``: texture slice by slice (2D and 2.5D aggregation), ``3D``, or ``both``.
    interpolation : Interpolation or None
        None computes on the image's own grid.
    resegmentation : Resegmentation
    discretisation : Discretisation
        Of the histogram and of texture.
    volume_histogram : Discretisation
        Of the intensity-volume histogram; ``none`` takes intensities as they are, in steps of 1.
    families : tuple of str
        Which families are computed, of `FAMILIES`.
    features : tuple of str
        Which features of them are computed, by their tags, with an aggregation or for all: ``morph_diam``,
        ``cm_contrast``, ``cm_contrast_3D_avg``. Nothing that none of them needs is computed. Empty: all; it says
        nothing of responses of filters.
    slow : bool
        Whether Moran's I and Geary's C are computed, which take longer than everything else.
    diagnostics : bool
        Whether sizes and intensities of image and masks are reported before and after each step.
    filters : tuple of Response
        Image filters, applied after interpolation, whose responses are measured in the same regions.
    """

    schema_version: Literal[1] = 1
    name: str = "own"
    dimensions: Literal["2D", "3D", "both"] = "3D"
    interpolation: Interpolation | None = None
    resegmentation: Resegmentation = Resegmentation()
    discretisation: Discretisation = Discretisation(method="number", bins=32)
    volume_histogram: Discretisation = Discretisation(method="none")
    families: tuple[Prefix, ...] = FAMILIES
    features: tuple[str, ...] = ()
    slow: bool = True
    diagnostics: bool = False
    filters: tuple[Response, ...] = ()

    @property
    def computed(self) -> tuple[Prefix, ...]:
        """Families of which at least one feature is computed."""
        return _with_features(self.families, self.features)

    @model_validator(mode="after")
    def _unlike(self) -> "Settings":
        if len({f.name for f in self.filters}) < len(self.filters):
            raise ValueError("two filters have one name")
        return self

    @model_validator(mode="after")
    def _known(self) -> "Settings":
        if not self.features:
            return self
        from hounsfield.science.radiomics.catalogue import tag_of, tags

        for name in self.features:
            tag = tag_of(name)
            if tag not in tags():
                near = nearest(tag, tags())
                raise ValueError(f"no feature is called {name}" + (f"; {near} is one" if near else ""))
            if tag.partition("_")[0] not in self.families:
                raise ValueError(f"{name} is a feature of none of the families")
            if tag in ("morph_moran_i", "morph_geary_c") and not self.slow:
                raise ValueError(f"{name} needs slow: true")
        return self


def _ibsi(letter: str, **changed: object) -> Settings:
    return Settings.model_validate({"name": f"ibsi-{letter}", "diagnostics": True, **changed})


_CUBE = (2.0, 2.0, 2.0)
PRESETS = {
    "default": Settings(name="default", interpolation=Interpolation(spacing_mm=(1.0, 1.0, 1.0))),
    "ibsi-digital": Settings(name="ibsi-digital", dimensions="both", discretisation=Discretisation(method="none")),
    "ibsi-A": _ibsi(
        "A",
        dimensions="2D",
        resegmentation=Resegmentation(lowest=-500, highest=400),
        discretisation=Discretisation(method="width", width=25),
    ),
    "ibsi-B": _ibsi(
        "B",
        dimensions="2D",
        interpolation=Interpolation(spacing_mm=(2.0, 2.0, None), round_intensities=True),
        resegmentation=Resegmentation(lowest=-500, highest=400),
    ),
    "ibsi-C": _ibsi(
        "C",
        interpolation=Interpolation(spacing_mm=_CUBE, round_intensities=True),
        resegmentation=Resegmentation(lowest=-1000, highest=400),
        discretisation=Discretisation(method="width", width=25),
        volume_histogram=Discretisation(method="width", width=2.5),
    ),
    "ibsi-D": _ibsi(
        "D",
        interpolation=Interpolation(spacing_mm=_CUBE, round_intensities=True),
        resegmentation=Resegmentation(outlier_sigma=3),
    ),
    "ibsi-E": _ibsi(
        "E",
        interpolation=Interpolation(spacing_mm=_CUBE, order=3, round_intensities=True),
        resegmentation=Resegmentation(lowest=-1000, highest=400, outlier_sigma=3),
        volume_histogram=Discretisation(method="number", bins=1000),
    ),
}
"""Named settings: the five configurations of IBSI-1, the one of its digital phantom, and a general one."""


def preset(name: str) -> Settings:
    """Return settings by name.

    Raises
    ------
    UnknownNameError
        If there are none of that name.
    """
    if name not in PRESETS:
        raise unknown_name("settings", name, PRESETS)
    return PRESETS[name]


def settings_from(values: object) -> Settings:
    """Return settings as a file states them.

    Raises
    ------
    InputError
        If a key is unknown or a value is not possible; the nearest known key is named.
    """
    from pydantic import ValidationError

    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(p) for p in first["loc"])
        said = first["msg"].removeprefix("Value error, ")  # pydantic's own, before what a check here says
        near = nearest(str(first["loc"][-1]), Settings.model_fields) if first["type"] == "extra_forbidden" else None
        raise InputError(
            f"Settings: {place or 'the file'}: {said}.",
            expected="keys as `hu measure --show-settings default` prints them",
            next_step=f"write {near!r} if that is what you meant" if near else "correct the value",
        ) from error
