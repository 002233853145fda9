"""Rows to arrays: numbers about the training part's middle, categories as one column for each level."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from hounsfield.core.block import Block, RowBlock
from hounsfield.core.kinds import Content, Wanted
from hounsfield.core.row import Row, RowColumn
from hounsfield.core.types import AnyArray, BoolArray, Float32Array, Float64Array
from hounsfield.learn.nn.spec import InputShape
from hounsfield.learn.prepare.protocol import Preparation, unfitting

if TYPE_CHECKING:
    from torch import Tensor

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
    around : int
        Of a beat, rows of so many beats on either side are looked at too, as a series with a step for each beat. 0 for
        the row alone.

    Notes
    -----
    Rows with others around them are stored as one row: its own numbers first, those of its neighbours in their order
    behind them. What looks at rows alone (trees, the linear model, the guard) so finds them where they always are.
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
    around: int = Field(default=0, ge=0, le=128)

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
        if self.site and self.around:
            raise ValueError("rows of places have no neighbours: around must be 0")
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
        """One channel for each number and each level; by beats where others are looked at around each."""
        if self.around:
            return InputShape(channels=self.width, ndim=1, size=(2 * self.around + 1,))
        return InputShape(channels=self.width, ndim=0, size=())

    @property
    def stored_shape(self) -> tuple[int, ...]:
        """The channels, and behind them the site where there is one, or the rows around."""
        return (self.width * (1 + 2 * self.around) + bool(self.site),)

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
            + ((RowColumn(name=self.site, kind="place", levels=self.sites),) if self.site else ()),
            beats=self.around,
        )

    def prepared(self, content: Content) -> AnyArray:
        """Return the row as ``c``, float32, NaN where missing, and behind it the place of its site, or its neighbours.

        Parameters
        ----------
        content : Row
            Its categories coded by `levels`, as `wanted` asks for.

        Raises
        ------
        PlanError
            If it is no row, holds none of the variables, or comes without the rows around it that are looked at.
        """
        if not isinstance(content, Row):
            raise unfitting("no row", "rows of variables")
        near = None if content.around is None else content.around[None]
        coded: AnyArray = self._beside(content.names, content.values[None], near)[0]
        return coded

    def prepared_block(self, block: Block) -> AnyArray:
        """Return rows that were read together as `prepared` returns each, ``n c``."""
        if not isinstance(block, RowBlock):
            return super().prepared_block(block)
        return self._beside(block.names, block.values, block.around)

    def values(self, stored: AnyArray) -> AnyArray:
        """Return stored rows ``... c`` without the site, and without those around them."""
        return stored[..., : self.width]

    def places(self, stored: AnyArray) -> list[str]:
        """Return the site of each of stored rows ``n c``, ``""`` where it is none of `sites`."""
        if not self.site:
            return [""] * len(stored)
        return [self.sites[int(v)] if np.isfinite(v) else "" for v in stored[:, self.width].astype(np.float64)]

    def normalised(self, stored: AnyArray) -> Float32Array:
        """Return the same without the site, or ``n c s`` with the rows around: what is stored is standardised."""
        if not self.around:
            return np.ascontiguousarray(self.values(stored), dtype=np.float32)
        steps = np.asarray(stored, dtype=np.float32).reshape(len(stored), -1, self.width)[:, self._order]
        return np.ascontiguousarray(steps.swapaxes(1, 2))

    def on_tensors(self, unit: "Tensor") -> "Tensor":
        """Return the same of a tensor ``b c``."""
        if not self.around:
            return unit[:, : self.width]
        return unit.reshape(-1, 1 + 2 * self.around, self.width)[:, self._order].transpose(1, 2)

    def looks(self, stored: AnyArray) -> Float64Array:
        """Return the values, missing ones as the middle, and the share that is missing."""
        found: Float64Array = self.looks_block(stored[None])[0]
        return found

    def looks_block(self, stored: AnyArray) -> Float64Array:
        """Return the same of each of stored rows ``n c``."""
        values = self.values(stored).astype(np.float64)
        known = np.isfinite(values)
        return np.column_stack([np.where(known, values, 0.0), 1.0 - known.mean(axis=1)])

    def described(self, stored: AnyArray) -> Float64Array:
        """Return the values, missing ones as the middle, and a flag for each that is missing."""
        values = self.values(stored).astype(np.float64)
        known = np.isfinite(values)
        return np.concatenate([np.where(known, values, 0.0), 1.0 - known])

    def blank(self, stored: AnyArray) -> str:
        """Return the reason where no value is known."""
        return self.blanks(stored[None])[0]

    def blanks(self, stored: AnyArray) -> list[str]:
        """Return the reason for each of stored rows ``n c`` of which no value is known."""
        known: BoolArray = np.asarray(np.isfinite(self.values(stored).astype(np.float64)).any(axis=1))
        return ["" if some else "Every variable of the row is missing." for some in known.tolist()]

    def doubts(self, content: Content, limits: "GuardLimits") -> list[str]:
        """Return which numbers lie far out, and whether most variables are missing."""
        del limits
        return self._doubted(content.names, content.values[None])[0] if isinstance(content, Row) else []

    def doubts_block(self, block: Block, limits: "GuardLimits") -> list[list[str]]:
        """Return the same of each of rows that were read together."""
        if not isinstance(block, RowBlock):
            return super().doubts_block(block, limits)
        return self._doubted(block.names, block.values)

    def self_test(self) -> AnyArray:
        """Return a row about the middle, and one further out with gaps."""
        place = np.arange(self.width * (1 + 2 * self.around))
        first, second = np.cos(place), 2.0 * np.sin(1.0 + place)
        second[place % 4 == 3] = np.nan
        made = np.stack([first, second])
        return (np.column_stack([made, [0.0, np.nan]]) if self.site else made).astype(np.float32)

    @cached_property
    def _order(self) -> list[int]:
        """Which of the stored rows each step is: a row's own one stands first, and in the middle of the series."""
        return [*range(1, 1 + self.around), 0, *range(1 + self.around, 1 + 2 * self.around)]

    def _beside(self, names: Sequence[str], values: Float64Array, around: Float64Array | None) -> AnyArray:
        """Return rows ``n k`` as they are stored, those around each ``n s k`` behind them where they are looked at."""
        own = self._coded(names, values)
        if not self.around:
            return own
        if around is None or around.shape[1] != 1 + 2 * self.around:
            raise unfitting("a row alone", f"rows of beats with {self.around} beats on either side")
        others = np.delete(around, self.around, axis=1)
        coded = self._coded(names, others.reshape(-1, len(names)))
        return np.concatenate([own, coded.reshape(len(own), -1)], axis=1)

    def _coded(self, names: Sequence[str], values: Float64Array) -> AnyArray:
        """Return rows ``n k`` of some variables as they are stored, ``n c`` float32."""
        if not any(c in names for c in self.columns):
            raise unfitting("a row of other variables", f"rows of {', '.join(self.columns[:8])}")
        own = self._own(names, values)
        made = np.empty((len(own), self.width + bool(self.site)))
        made[:, self.numbers] = self._standardised(own[:, self._coding.at], clip=CLIP)
        place = 0
        for at, column in enumerate(self.columns):
            levels = self.levels.get(column)
            if levels is not None:
                level = own[:, at, None]
                made[:, place : place + len(levels)] = np.where(
                    np.isnan(level), np.nan, np.trunc(level) == np.arange(len(levels))
                )
            place += 1 if levels is None else len(levels)
        if self.site:
            site = self._own(names, values, (self.site,))[:, 0]
            made[:, -1] = np.where((site >= 0) & (site < len(self.sites)), site, np.nan)
        return made.astype(np.float32)

    def _doubted(self, names: Sequence[str], values: Float64Array) -> list[list[str]]:
        """Return for each of rows ``n k`` of some variables what of it is unlike the training rows."""
        own = self._own(names, values)
        missing = np.isnan(own)
        far = np.zeros(own.shape, bool)
        far[:, self._coding.at] = np.abs(self._standardised(own[:, self._coding.at], clip=np.inf)) > FAR
        complete = np.array([c in self.complete for c in self.columns])
        most = missing.sum(axis=1) > MOST_MISSING * len(self.columns)
        strange = np.zeros(len(own), bool)
        if self.harmonise != "none":
            strange = ~np.isfinite(self._own(names, values, (self.site,))[:, 0])
        said: list[list[str]] = [[] for _ in own]
        for row in np.flatnonzero((missing & complete).any(axis=1) | far.any(axis=1) | most | strange).tolist():
            lacking = [self.columns[i] for i in np.flatnonzero(missing[row] & complete)]
            if lacking:
                shown = ", ".join(lacking[:5]) + (", ..." if len(lacking) > 5 else "")
                said[row].append(f"missing, and never missing in training: {shown}")
            if most[row]:
                said[row].append(f"{int(missing[row].sum())} of {len(self.columns)} variables are missing")
            if far[row].any():
                said[row].append(f"far out: {', '.join(self.columns[i] for i in np.flatnonzero(far[row])[:5])}")
            if strange[row]:
                said[row].append(OTHER_SITE)
        return said

    def _own(self, names: Sequence[str], values: Float64Array, columns: tuple[str, ...] | None = None) -> Float64Array:
        """Return the plan's variables of rows ``n k``, ``n c``; NaN for one that they lack."""
        at = {name: i for i, name in enumerate(names)}
        beside = np.column_stack([values, np.full(len(values), np.nan)])
        found: Float64Array = beside[:, [at.get(c, len(names)) for c in columns or self.columns]]
        return found

    def _standardised(self, numbers: Float64Array, *, clip: float) -> Float64Array:
        """Return the plan's numbers, ``n c``, about the training part's middle, or as logarithms."""
        own = self._coding
        with np.errstate(over="ignore"):
            plain = np.clip((numbers - own.middle) / own.spread, -clip, clip)
            logarithms = np.minimum(np.log1p(np.maximum(numbers, 0.0) / own.scale), clip)
        found: Float64Array = np.where(own.logged, logarithms, plain)
        return found

    @cached_property
    def _coding(self) -> "_Coding":
        numbers = [c for c in self.columns if c not in self.levels]
        middle, spread = (np.array([held[c] for c in numbers]) for held in (self.middle, self.spread))
        return _Coding(
            at=[i for i, c in enumerate(self.columns) if c not in self.levels],
            middle=middle,
            spread=spread,
            scale=np.where(middle > 0, middle, spread),
            logged=np.array([c in self.logarithm for c in numbers], bool),
        )


@dataclass(frozen=True)
class _Coding:
    """What numbers are standardised by, ``c`` each: their places among the columns, and arrays of float64."""

    at: list[int]
    middle: Float64Array
    spread: Float64Array
    scale: Float64Array
    logged: BoolArray
