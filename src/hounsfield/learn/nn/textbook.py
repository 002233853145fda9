"""The textbook convolutional network of this field's introductions, exactly as its articles give it."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from hounsfield.core.errors import PlanError
from hounsfield.learn.nn.network import Encoder, EncoderNetwork
from hounsfield.learn.nn.spec import InputShape, NetworkSpec, read_options


class TextbookOptions(BaseModel):
    """The textbook network has no options: it is a fixed point of comparison."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TextbookEncoder(Encoder):
    """Convolutions 3x3 of 32, 64 and 64 channels with two 2x2 max-pools, then 64 dense units, all with ReLU.

    Parameters
    ----------
    shape
        Shape of the input: 2D, at least 18 pixels along each axis; the articles use 128 x 128 RGB in [0, 1].

    Notes
    -----
    Convolutions are unpadded, as Keras' ``padding="valid"``: 128 -> 126 -> 63 -> 61 -> 30 -> 28, so 28 x 28 x 64 =
    50176 numbers enter the dense layer. (Keras flattens channels last and torch channels first: a permutation of the
    dense layer's columns, which random initial weights do not see.)
    """

    def __init__(self, shape: InputShape) -> None:
        super().__init__()
        if shape.ndim != 2 or min(shape.size) < 18:
            raise PlanError(
                f"The textbook network was given an input with {shape.ndim} spatial axes of {shape.size} pixels.",
                expected="a 2D image of at least 18 x 18 pixels",
                next_step='choose "--network residual"',
            )
        rows, columns = (((edge - 2) // 2 - 2) // 2 - 2 for edge in shape.size)
        self.layers = nn.Sequential(
            nn.Conv2d(shape.channels, 32, 3),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
            nn.Conv2d(64, 64, 3),
            nn.ReLU(inplace=True),
            nn.Flatten(),
            nn.Linear(64 * rows * columns, 64),
            nn.ReLU(inplace=True),
        )
        self.features = 64

    def forward(self, image: Tensor, context: Mapping[str, object]) -> Tensor:
        """Return the 64 dense units (b 64), float32, of images (b c y x)."""
        embedding: Tensor = self.layers(image)
        return embedding.float()


class TextbookNetwork(EncoderNetwork):
    """The textbook CNN with one dense head for each target (its softmax is in the loss and the decoder).

    Parameters
    ----------
    spec
        The spec; it has no options.

    Raises
    ------
    PlanError
        If an option is given or the input is not a 2D image of sufficient size.

    Notes
    -----
    Weights start as in Keras: Glorot uniform, ``U(-a, a)`` with ``a = sqrt(6 / (fan_in + fan_out))``; biases at 0.

    References
    ----------
    Glorot, Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS 2010.
    """

    Options: ClassVar[type[BaseModel]] = TextbookOptions

    def __init__(self, spec: NetworkSpec) -> None:
        read_options(spec, TextbookOptions)
        encoders: list[Encoder] = [TextbookEncoder(shape) for shape in spec.inputs.values()]
        super().__init__(spec, encoders)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.xavier_uniform_(layer.weight)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
