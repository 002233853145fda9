"""The joint network: the plan says for each input which family encodes it."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from hounsfield.core.errors import PlanError, nearest
from hounsfield.learn.nn.kinds import USUAL, encoder_of
from hounsfield.learn.nn.network import Encoder, EncoderNetwork
from hounsfield.learn.nn.spec import InputShape, NetworkSpec, PlainValue, read_options


class JointOptions(BaseModel):
    """Options of the joint network.

    Parameters
    ----------
    encoders
        For each input by name: ``family``, a name of the table of networks, and that family's options. An input that is
        not named has the usual family of its kind: images ``residual``, signals ``convolutional``, rows ``row``. Rows
        of beats with others around them must be named (``beat-sequence``).
    dropout
        Share of embedding features dropped before the heads.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    encoders: dict[str, dict[str, PlainValue]] = Field(default_factory=dict)
    dropout: float = Field(default=0.0, ge=0.0, lt=1.0)


class JointNetwork(EncoderNetwork):
    """An encoder for each input, of any family, their embeddings side by side, one head for each target.

    Parameters
    ----------
    spec
        The spec; ``options`` are :class:`JointOptions`.

    Raises
    ------
    UnknownNameError, PlanError
        If an option, an input or a family is unknown, or a family does not fit its input.
    """

    Options: ClassVar[type[BaseModel]] = JointOptions

    def __init__(self, spec: NetworkSpec) -> None:
        options = read_options(spec, JointOptions)
        for name in options.encoders:
            if name not in spec.inputs:
                near = nearest(name, list(spec.inputs))
                raise PlanError(
                    f'The plan has an encoder for an input "{name}", which there is not.',
                    expected=f"one of {', '.join(spec.inputs)}",
                    next_step=f'write "{near}" if that is what you meant' if near else f'remove "{name}"',
                )
        encoders = [_encoder(shape, options.encoders.get(name, {})) for name, shape in spec.inputs.items()]
        super().__init__(spec, encoders, dropout=options.dropout)


def _encoder(shape: InputShape, said: dict[str, PlainValue]) -> Encoder:
    family = said.get("family", USUAL[shape.ndim])
    if not isinstance(family, str):
        raise PlanError(
            f"The family of an encoder is {family!r}.",
            expected="the name of a network",
            next_step=f'write "family: {USUAL[shape.ndim]}"',
        )
    return encoder_of(family, shape, {key: value for key, value in said.items() if key != "family"})
