"""Networks whose inputs are of several kinds: each input has an encoder of its kind."""

from collections.abc import Callable, Mapping

from hounsfield.core.errors import PlanError
from hounsfield.learn.nn.network import Encoder, EncoderNetwork
from hounsfield.learn.nn.spec import InputShape, NetworkSpec, PlainValue
from hounsfield.learn.nn.table import resolve

USUAL: Mapping[int, str] = {0: "row", 1: "convolutional", 2: "residual", 3: "residual"}
"""The family that encodes an input beside another family, by the input's axes."""
KINDS: Mapping[int, str] = {0: "row", 1: "signal", 2: "image", 3: "volume"}
"""What an input of so many axes is called."""


def encoder_of(family: str, shape: InputShape, options: Mapping[str, PlainValue]) -> Encoder:
    """Return a fresh encoder of a family for one input.

    Parameters
    ----------
    family
        A family of the table of networks.
    shape
        Shape of the input.
    options
        Options of the family.

    Returns
    -------
    Encoder
        The family's encoder of this input.

    Raises
    ------
    UnknownNameError, PlanError
        If the family is unknown, takes no such input or option, or does not encode inputs apart.
    """
    spec = NetworkSpec(family=family, inputs={"input": shape}, heads={}, options=dict(options))
    network = resolve(family)(spec)
    encoder = network.encoders[0] if isinstance(network, EncoderNetwork) and len(network.encoders) else None
    if not isinstance(encoder, Encoder):
        raise PlanError(
            f'Network "{family}" has no encoder for one input.',
            expected="a family that encodes each input apart",
            next_step=f'choose "{USUAL[shape.ndim]}" for a {KINDS[shape.ndim]}',
        )
    return encoder


def needs_signal(shape: InputShape, family: str, *, times: bool) -> int:
    """Return how many channels of a signal are values.

    Parameters
    ----------
    shape
        Shape of an input.
    family
        Who asks, for the message.
    times
        Whether the first channel is time.

    Returns
    -------
    int
        The channels without that of time.

    Raises
    ------
    PlanError
        If the input is no signal, or has times and nothing else.
    """
    if shape.ndim != 1:
        raise PlanError(
            f"The {family} network was given a {KINDS[shape.ndim]}.",
            expected="a signal, one axis of time",
            next_step=f'choose "--network {USUAL[shape.ndim]}"',
        )
    if times and shape.channels < 2:
        raise PlanError(
            "A signal with times has 1 channel: the times themselves.",
            expected="at least one channel of values after that of the times",
            next_step='set "times" to false in the network section of the plan, or add a variable',
        )
    return shape.channels - int(times)


class MixedNetwork(EncoderNetwork):
    """A family for inputs of some kind; an input of another kind has that kind's usual encoder beside it.

    Parameters
    ----------
    spec
        The spec; heads and inputs are taken from it.
    own
        Makes the family's encoder for an input of its kind.
    axes
        How many axes inputs of the family's kind have.
    dropout
        Share of embedding features dropped before the heads.

    Raises
    ------
    PlanError
        If no input is of the family's kind.
    """

    def __init__(
        self,
        spec: NetworkSpec,
        own: Callable[[InputShape], Encoder],
        *,
        axes: tuple[int, ...],
        dropout: float = 0.0,
    ) -> None:
        shapes = list(spec.inputs.values())
        if not any(shape.ndim in axes for shape in shapes):
            raise PlanError(
                f'Network "{spec.family}" was given {", ".join(f"a {KINDS[s.ndim]}" for s in shapes)}.',
                expected=f"at least one {' or '.join(KINDS[a] for a in axes)} among the inputs",
                next_step=f'choose "--network {USUAL[shapes[0].ndim]}"',
            )
        encoders = [own(s) if s.ndim in axes else encoder_of(USUAL[s.ndim], s, {}) for s in shapes]
        super().__init__(spec, encoders, dropout=dropout)
