"""The table of network families, and building one from its spec."""

import torch

from hounsfield.core.errors import PlanError
from hounsfield.core.tables import Table
from hounsfield.learn.nn.network import Network
from hounsfield.learn.nn.spec import NetworkSpec, read_options

NETWORKS = Table(
    "network",
    {
        "beat-sequence": "hounsfield.learn.nn.signal.beat_sequence:BeatSequenceNetwork",
        "convolutional": "hounsfield.learn.nn.signal.convolutional:ConvolutionalNetwork",
        "convolutional-recurrent": "hounsfield.learn.nn.signal.stacked:StackedNetwork",
        "joint": "hounsfield.learn.nn.joint:JointNetwork",
        "recurrent": "hounsfield.learn.nn.signal.recurrent:RecurrentNetwork",
        "residual": "hounsfield.learn.nn.residual:ResidualNetwork",
        "row": "hounsfield.learn.nn.row:RowNetwork",
        "slices": "hounsfield.learn.nn.slices:SlicesNetwork",
        "textbook": "hounsfield.learn.nn.textbook:TextbookNetwork",
    },
)
"""Network families: name to import path of a :class:`~hounsfield.learn.nn.network.Network`."""

DENSE_NETWORKS = Table("dense network", {"unet": "hounsfield.learn.nn.unet:UNet"})
"""Families whose outputs are as large as their input, ``b w y x`` or ``b w z y x``."""


def resolve(name: str, table: Table = NETWORKS) -> type[Network]:
    """Return the class of a network family.

    Parameters
    ----------
    name
        A key of the table.
    table
        :data:`NETWORKS` or :data:`DENSE_NETWORKS`.

    Returns
    -------
    type
        The family's class.

    Raises
    ------
    UnknownNameError
        If no family has the name; the nearest one is named.
    PlanError
        If the table's line leads to something that is no network.
    """
    family = table.resolve(name)
    if not (isinstance(family, type) and issubclass(family, Network)):
        raise PlanError(
            f'The table leads from network "{name}" to {table.entries[name]}, which is no network.',
            expected="a subclass of hounsfield.learn.nn.network.Network",
            next_step="correct the line of the table",
        )
    return family


def check(spec: NetworkSpec, table: Table = NETWORKS) -> None:
    """Check family and options of a spec without building the network.

    Parameters
    ----------
    spec
        The spec to check.
    table
        Where the family is looked up.

    Raises
    ------
    UnknownNameError, PlanError
        If the family or an option is unknown, or a value is out of range.
    """
    read_options(spec, resolve(spec.family, table).Options)


def build(spec: NetworkSpec, *, seed: int, table: Table = NETWORKS) -> Network:
    """Build a network with initial weights that depend on spec and seed alone.

    Parameters
    ----------
    spec
        Family, inputs, heads and options.
    seed
        Seed of the initial weights.
    table
        Where the family is looked up.

    Returns
    -------
    Network
        The network on the CPU, float32, in training mode, convolution weights in channels-last order.

    Raises
    ------
    UnknownNameError, PlanError
        If family, options or inputs do not fit.

    Notes
    -----
    The global random state is the same after the call as before it. Channels-last tensors are not contiguous: make
    them so before writing safetensors.
    """
    family = resolve(spec.family, table)
    read_options(spec, family.Options)
    with torch.random.fork_rng(devices=[]):
        # The generator itself: torch.manual_seed would seed the accelerators' too.
        torch.default_generator.manual_seed(seed)
        network = family(spec)
    return to_channels_last(network)


def to_channels_last(network: Network) -> Network:
    """Put the convolution weights of a network into channels-last order, in place.

    Parameters
    ----------
    network
        The network; 2D and 3D convolutions may be mixed.

    Returns
    -------
    Network
        The same network.
    """
    for parameter in network.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
        elif parameter.ndim == 5:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last_3d)
    return network
