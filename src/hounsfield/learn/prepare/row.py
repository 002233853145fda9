"""Rows to arrays: numbers about the training part's middle, categories as one column for each level."""

import math
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from hounsfield.core.kinds import Content, Wanted
from hounsfield.core.row import Row, RowColumn
from hounsfield.core.types import AnyArray, Float32Array, Float64Array
from hounsfield.learn.nn.spec import InputShape
from hounsfield.learn.prepare.protocol import Preparation, unfitting

if TYPE_CHECKING:
    from hounsfield.learn.guard import GuardLimits

CLIP = 6.0
"""Standardised numbers beyond this count as this, in every row: a network adds up what it is given, and one number
fifty spreads out outweighs all others. The rule for the spread sees to it that no more than a hundredth is cut off."""
FAR = 8.0
"""Standardised numbers beyond this are told of."""
OTHER_SITE = "its site was not seen in training: taken for the average site"
"""What is said of a row whose site the harmonisation does not know."""
MOST_MISSING = 0.5
"""Share of variables that may be missing before it is told of."""


class RowPreparation(Preparation):
    """How every row is brought to the network: the plan's section ``preparation.<name>`` for rows.

    Attributes
    ----------
    columns : tuple of str
        Variables, in this order; one that a table lacks is missing.
    levels : dict of str to tuple of str
        Of each category its levels, one column of 0 and 1 for each; another level counts as missing.
    logarithm : tuple of str
        Numbers that enter as ``log(1 + x / middle)``; x below 0 counts as 0.
    complete : tuple of str
        Variables that no training row lacks: a row without one is told of.
    middle, spread : dict of str to float
        Of each number: what is taken off, and what it is divided by (before the logarithm, the scale of it).
    site : str
        Column that says where a row was recorded; ``""`` for none. Its place in `sites` is stored behind the values,
        NaN for another one; no network sees it.
    sites : tuple of str
    harmonise : str
        How what sites add to numbers is taken away by learners that select variables: ``none``, ``empirical-bayes`` or
        ``each-feature``, see `hounsfield.science.radiomics.combat`.
    covariates : tuple of str
        Variables, of this input or of another row of the sample, whose share in the numbers is kept when what sites add
        is taken away; they are not harmonised themselves. Never the answer.
    """

    required: ClassVar[bool] = False
    kind: Literal["row"] = "row"
    columns: tuple[str, ...] = Field(min_length=1)
    levels: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    logarithm: tuple[str, ...] = ()
    complete: tuple[str, ...] = ()
    middle: dict[str, float]
    spread: dict[str, float]
    site: str = ""
    sites: tuple[str, ...] = ()
    harmonise: Literal["none", "empirical-bayes", "each-feature"] = "none"
    covariates: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        numbers = [c for c in self.columns if c not in self.levels]
        lacking = [c for c in numbers if c not in self.middle or c not in self.spread]
        if lacking:
            raise ValueError(f"middle and spread must name every number; {lacking[0]!r} is missing")
        if any(self.spread[c] <= 0 for c in numbers):
            raise ValueError("spread must be positive")
        if self.site in self.columns or (self.harmonise != "none" and not (self.site and len(self.sites) > 1)):
            raise ValueError("site must be a column of its own, with two sites to harmonise between")
        if self.site and self.site in self.covariates:
            raise ValueError("the site is what is taken away, and no covariate")
        strange = [c for c in (*self.levels, *self.logarithm) if c not in self.columns]
        if strange:
            raise ValueError(f"{strange[0]!r} is not among the columns")
        if not self.width:
            raise ValueError("no variable is left: every category has no level")
        return self

    @cached_property
    def width(self) -> int:
        """Number of prepared columns, the site apart."""
        return sum(len(self.levels[c]) if c in self.levels else 1 for c in self.columns)

    @cached_property
    def numbers(self) -> tuple[int, ...]:
        """Which of the prepared columns are numbers, and no levels."""
        at = [(c, i) for c in self.columns for i in range(len(self.levels.get(c, (c,))))]
        return tuple(place for place, (column, _) in enumerate(at) if column not in self.levels)

    @property
    def kind_name(self) -> str:
        """``row``."""
        return "row"

    @property
    def shape(self) -> InputShape:
        """One channel for each number and each level."""
        return InputShape(channels=self.width, ndim=0, size=())

    @property
    def stored_shape(self) -> tuple[int, ...]:
        """The channels, and the site behind them where there is one."""
        return (self.width + bool(self.site),)

    @property
    def dtype(self) -> str:
        """float32."""
        return "float32"

    @property
    def wanted(self) -> Wanted:
        """The variables with the levels of the training part."""
        return Wanted(
            columns=tuple(
                RowColumn(name=c, kind="categorical" if c in self.levels else "numeric", levels=self.levels.get(c, ()))
                for c in self.columns
            )
            + ((RowColumn(name=self.site, kind="place", levels=self.sites),) if self.site else ())
        )

    def prepared(self, content: Content) -> AnyArray:
        """Return the row as ``c``, float32, NaN where missing, and the place of its site behind it.

        Parameters
        ----------
        content : Row
            Its categories coded by `levels`, as `wanted` asks for.

        Raises
        ------
        PlanError
            If it is no row, or holds none of the variables.
        """
        if not isinstance(content, Row):
            raise unfitting("no row", "rows of variables")
        at = {name: i for i, name in enumerate(content.names)}
        if not any(c in at for c in self.columns):
            raise unfitting("a row of other variables", f"rows of {', '.join(self.columns[:8])}")
        made: list[float] = []
        for name in self.columns:
            value = float(content.values[at[name]]) if name in at else float("nan")
            if name in self.levels:
                made += self._level(name, value)
            else:
                made.append(self._number(name, value))
        if self.site:
            place = float(content.values[at[self.site]]) if self.site in at else math.nan
            made.append(place if 0 <= place < len(self.sites) else math.nan)
        return np.array(made, dtype=np.float32)

    def values(self, stored: AnyArray) -> AnyArray:
        """Return stored rows ``... c`` without the site."""
        return stored[..., : self.width]

    def places(self, stored: AnyArray) -> list[str]:
        """Return the site of each of stored rows ``n c``, ``""`` where it is none of `sites`."""
        if not self.site:
            return [""] * len(stored)
        return [self.sites[int(v)] if np.isfinite(v) else "" for v in stored[:, self.width].astype(np.float64)]

    def normalised(self, stored: AnyArray) -> Float32Array:
        """Return the same without the site: what is stored is standardised already."""
        return np.ascontiguousarray(self.values(stored), dtype=np.float32)

    def looks(self, stored: AnyArray) -> Float64Array:
        """Return the values, missing ones as the middle, and the share that is missing."""
        values = self.values(stored).astype(np.float64)
        known = np.isfinite(values)
        return np.append(np.where(known, values, 0.0), 1.0 - known.mean())

    def described(self, stored: AnyArray) -> Float64Array:
        """Return the values, missing ones as the middle, and a flag for each that is missing."""
        values = self.values(stored).astype(np.float64)
        known = np.isfinite(values)
        return np.concatenate([np.where(known, values, 0.0), 1.0 - known])

    def blank(self, stored: AnyArray) -> str:
        """Return the reason where no value is known."""
        known = np.isfinite(self.values(stored).astype(np.float64))
        return "" if known.any() else "Every variable of the row is missing."

    def doubts(self, content: Content, limits: "GuardLimits") -> list[str]:
        """Return which numbers lie far out, and whether most variables are missing."""
        if not isinstance(content, Row):
            return []
        at = {name: i for i, name in enumerate(content.names)}
        values = {c: float(content.values[at[c]]) if c in at else float("nan") for c in self.columns}
        missing = [c for c, v in values.items() if np.isnan(v)]
        said = []
        lacking = [c for c in missing if c in self.complete]
        if lacking:
            shown = ", ".join(lacking[:5]) + (", ..." if len(lacking) > 5 else "")
            said.append(f"missing, and never missing in training: {shown}")
        if len(missing) > MOST_MISSING * len(values):
            said.append(f"{len(missing)} of {len(values)} variables are missing")
        far = [c for c, v in values.items() if c not in self.levels and abs(self._number(c, v, clip=np.inf)) > FAR]
        if far:
            said.append(f"far out: {', '.join(far[:5])}")
        if self.harmonise != "none" and not np.isfinite(content.values[at[self.site]] if self.site in at else np.nan):
            said.append(OTHER_SITE)
        return said

    def self_test(self) -> AnyArray:
        """Return a row about the middle, and one further out with gaps."""
        place = np.arange(self.width)
        first, second = np.cos(place), 2.0 * np.sin(1.0 + place)
        second[place % 4 == 3] = np.nan
        made = np.stack([first, second])
        return (np.column_stack([made, [0.0, np.nan]]) if self.site else made).astype(np.float32)

    def _level(self, name: str, value: float) -> list[float]:
        levels = self.levels[name]
        if np.isnan(value):
            return [float("nan")] * len(levels)
        return [float(int(value) == place) for place in range(len(levels))]

    def _number(self, name: str, value: float, *, clip: float = CLIP) -> float:
        if math.isnan(value):
            return value
        if name in self._logged:
            scale = self.middle[name] if self.middle[name] > 0 else self.spread[name]
            return min(math.log1p(max(value, 0.0) / scale), clip)
        return min(max((value - self.middle[name]) / self.spread[name], -clip), clip)

    @cached_property
    def _logged(self) -> frozenset[str]:
        return frozenset(self.logarithm)
