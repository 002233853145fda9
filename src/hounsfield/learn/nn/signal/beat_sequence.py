"""The network for beats among their neighbours: a recurrence from either side meets at the beat."""

from collections.abc import Mapping
from typing import ClassVar

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional

from hounsfield.core.errors import PlanError
from hounsfield.learn.nn.dropping import AddressedDropout
from hounsfield.learn.nn.kinds import KINDS, MixedNetwork
from hounsfield.learn.nn.network import Encoder
from hounsfield.learn.nn.signal.cells import CellName, Layer, layer
from hounsfield.learn.nn.spec import InputShape, NetworkSpec, read_options


class BeatSequenceOptions(BaseModel):
    """Options of the beat-sequence network.

    Parameters
    ----------
    cell
        ``gru``, ``lstm`` or ``textbook``.
    width
        Numbers that the row of a beat is turned into, that the state of each direction has, and the embedding.
    inner
        Share of the numbers of each beat dropped before the recurrence reads them.
    dropout
        Share of embedding features dropped before the heads.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cell: CellName = "gru"
    width: int = Field(default=32, ge=1, le=2048)
    inner: float = Field(default=0.0, ge=0.0, lt=1.0)
    dropout: float = Field(default=0.0, ge=0.0, lt=1.0)


class BeatSequenceEncoder(Encoder):
    """Rows of beats, one after the other, read up to the one in the middle from both ends.

    With x_t the row of beat t, s beats and m the one in the middle: ``e_t = gelu(A x_t + a)``; a recurrent layer reads
    ``e_0 ... e_m`` and another ``e_(s-1) ... e_m``; the embedding is ``gelu(B [e_m, state of the one, of the other])``.

    Parameters
    ----------
    shape
        Shape of the input: variables by beats, an odd number of them.
    options
        Options of the family.

    Raises
    ------
    PlanError
        If the input is no series of beats around one.

    Notes
    -----
    What is missing counts as the middle of the training part. In float32 also under autocast.

    References
    ----------
    Mousavi, Afghah, "Inter- and intra-patient ECG heartbeat classification for arrhythmia detection: a sequence to
    sequence deep learning approach", ICASSP 2019 (beats are told from those before and after them).
    """

    def __init__(self, shape: InputShape, options: BeatSequenceOptions) -> None:
        super().__init__()
        if shape.ndim != 1 or shape.size[0] % 2 == 0:
            beats = f" of {shape.size[0]} beats" if shape.ndim == 1 else ""
            raise PlanError(
                f"The beat-sequence network was given a {KINDS[shape.ndim]}{beats}.",
                expected="the rows of an odd number of beats, the one that is asked about in the middle",
                next_step='set "around" in the preparation of a row of beats, or choose another network',
            )
        width = options.width
        self.middle = shape.size[0] // 2
        self.spread = nn.Linear(shape.channels, width)
        self.drop = AddressedDropout(options.inner, salt=301)
        self.onward: Layer = layer(options.cell, width, width)
        self.back: Layer = layer(options.cell, width, width)
        self.meet = nn.Linear(3 * width, width)
        self.features = width

    def forward(self, image: Tensor, context: Mapping[str, object]) -> Tensor:
        """Return the embedding (b c), float32, of rows of beats (b c t)."""
        with torch.autocast(image.device.type, enabled=False):
            rows = image.float()
            rows = torch.where(rows.isfinite(), rows, torch.zeros_like(rows)).transpose(1, 2)
            steps = functional.gelu(self.spread(rows))
            steps = self.drop(steps.flatten(1), context).reshape(steps.shape)
            before, _ = self.onward(steps[:, : self.middle + 1], None)
            after, _ = self.back(steps[:, self.middle :].flip(1), None)
            met: Tensor = self.meet(torch.cat([steps[:, self.middle], before[:, -1], after[:, -1]], dim=1))
            return functional.gelu(met)


class BeatSequenceNetwork(MixedNetwork):
    """A beat-sequence encoder for each series of beats; inputs of another kind have that kind's usual encoder beside.

    Parameters
    ----------
    spec
        The spec; ``options`` are :class:`BeatSequenceOptions`.

    Raises
    ------
    PlanError
        If an option is unknown or out of range, or no input is a series of beats.
    """

    Options: ClassVar[type[BaseModel]] = BeatSequenceOptions

    def __init__(self, spec: NetworkSpec) -> None:
        options = read_options(spec, BeatSequenceOptions)
        super().__init__(spec, lambda s: BeatSequenceEncoder(s, options), axes=(1,), dropout=options.dropout)
