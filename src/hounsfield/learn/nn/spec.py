"""What a network is asked to be: family, inputs, heads and options, as data."""

from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from hounsfield.core.errors import PlanError, nearest

PlainValue = bool | int | float | str | list[int]
OptionValue = PlainValue | dict[str, dict[str, PlainValue]]
"""An option; the nested form holds the options of each input's encoder."""
Options = TypeVar("Options", bound=BaseModel)


class InputShape(BaseModel):
    """Shape of one prepared input.

    Parameters
    ----------
    channels
        Number of channels c.
    ndim
        0 for a row (b c), 1 for a signal (b c t), 2 for (b c y x), 3 for (b c z y x).
    size
        Steps along the axes of time or space, in array order: none, (t), (y x) or (z y x).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    channels: int = Field(ge=1)
    ndim: Literal[0, 1, 2, 3]
    size: tuple[int, ...]

    @model_validator(mode="after")
    def _one_size_per_axis(self) -> "InputShape":
        if len(self.size) != self.ndim or min(self.size, default=1) < 1:
            raise ValueError(f"size {self.size} must have {self.ndim} positive entries, one for each axis")
        return self


class NetworkSpec(BaseModel):
    """A network as data: enough to build it again.

    Parameters
    ----------
    family
        Name in :data:`hounsfield.learn.nn.table.NETWORKS`.
    inputs
        Shape of each input by name; at least one.
    heads
        Width of the output of each head by target name.
    options
        Options of the family; each family validates them with its own model.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    family: str
    inputs: dict[str, InputShape] = Field(min_length=1)
    heads: dict[str, int]
    options: dict[str, OptionValue] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _sound_heads(self) -> "NetworkSpec":
        if "embedding" in self.heads:
            raise ValueError('a head cannot be named "embedding": that output is always there')
        bad = sorted(name for name, width in self.heads.items() if width < 1)
        if bad:
            raise ValueError(f"heads {bad} must have a width of at least 1")
        return self


def read_options(spec: NetworkSpec, model: type[Options]) -> Options:
    """Validate the options of a spec with the model of its family.

    Parameters
    ----------
    spec
        The spec whose options are read.
    model
        The options model of the family.

    Returns
    -------
    Options
        The options with defaults filled in.

    Raises
    ------
    PlanError
        If a key is unknown (the nearest known key is named) or a value is out of range.
    """
    known = sorted(model.model_fields)
    for key in spec.options:
        if key not in known:
            near = nearest(key, known)
            raise PlanError(
                f'Network "{spec.family}" has no option "{key}".',
                expected=f"one of {', '.join(known)}" if known else "no options at all",
                next_step=f'write "{near}" if that is what you meant' if near else f'remove "{key}" from the plan',
            )
    try:
        return model.model_validate(dict(spec.options))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "options"
        raise PlanError(
            f'Option "{key}" of network "{spec.family}" is {first["input"]!r}.',
            expected=first["msg"],
            next_step=f'correct "{key}" in the network section of the plan',
        ) from error
