"""Layers of the networks, each as its formula, for one sample or batch, with loops where they make it plainer."""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


# --8<-- [start:convolution]
def convolution(image: Array, weight: Array, *, stride: int = 1, padding: int = 0) -> Array:
    """Image (c y x), weight (d c u v) -> features (d y' x')."""
    padded = np.pad(image, ((0, 0), (padding, padding), (padding, padding)))
    height, width = weight.shape[2:]
    rows = range(0, padded.shape[1] - height + 1, stride)
    columns = range(0, padded.shape[2] - width + 1, stride)
    return np.array(
        [
            [[np.sum(kernel * padded[:, r : r + height, c : c + width]) for c in columns] for r in rows]
            for kernel in weight
        ]
    )


# --8<-- [end:convolution]


# --8<-- [start:normalisation]
def batch_norm(features: Array, scale: Array, shift: Array, *, epsilon: float = 1e-5) -> Array:
    """Features (b c y x); mean and variance of each channel over batch and space."""
    mean = features.mean(axis=(0, 2, 3), keepdims=True)
    variance = features.var(axis=(0, 2, 3), keepdims=True)  # biased: divided by n
    standard = (features - mean) / np.sqrt(variance + epsilon)
    return np.asarray(standard * scale[:, None, None] + shift[:, None, None])


def group_norm(features: Array, scale: Array, shift: Array, *, groups: int, epsilon: float = 1e-5) -> Array:
    """Features (b c y x); mean and variance of each sample over space and the channels of a group."""
    split = features.reshape(len(features), groups, -1)
    mean, variance = split.mean(axis=2, keepdims=True), split.var(axis=2, keepdims=True)
    standard = ((split - mean) / np.sqrt(variance + epsilon)).reshape(features.shape)
    return np.asarray(standard * scale[:, None, None] + shift[:, None, None])


# --8<-- [end:normalisation]


# --8<-- [start:blur_pool]
def blur_pool(features: Array) -> Array:
    """Features (c y x) -> (c ceil(y/2) ceil(x/2)): filter with (1 2 1)/4 along y and x, keep every second pixel."""
    padded = np.pad(features, ((0, 0), (1, 1), (1, 1)))
    along_y = (padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]) / 4
    along_x: Array = (along_y[:, :, :-2] + 2 * along_y[:, :, 1:-1] + along_y[:, :, 2:]) / 4
    return along_x[:, ::2, ::2]


# --8<-- [end:blur_pool]


# --8<-- [start:squeeze]
def relu(values: Array) -> Array:
    """Positive part."""
    return np.maximum(values, 0.0)


def logistic(values: Array) -> Array:
    """1 / (1 + exp(-v))."""
    return 1.0 / (1.0 + np.exp(-values))


def squeeze_excitation(features: Array, down: tuple[Array, Array], up: tuple[Array, Array]) -> Array:
    """Features (c y x); down and up are (weight, bias) of the two linear maps."""
    inner = relu(down[0] @ features.mean(axis=(1, 2)) + down[1])
    gate = logistic(up[0] @ inner + up[1])
    return features * gate[:, None, None]


# --8<-- [end:squeeze]


# --8<-- [start:pooling]
def max_pool(features: Array, *, size: int = 2) -> Array:
    """Features (c y x): the largest of each block of size x size; what does not fill a block is dropped."""
    channels, height, width = features.shape
    height, width = height // size, width // size
    blocks = features[:, : height * size, : width * size].reshape(channels, height, size, width, size)
    return np.asarray(blocks.max(axis=(2, 4)))


def generalised_mean(features: Array, *, power: float, floor: float = 1e-6) -> Array:
    """Features (c y x) -> (c,): power 1 is the mean, a large power nears the maximum."""
    return np.asarray(np.mean(np.maximum(features, floor) ** power, axis=(1, 2)) ** (1.0 / power))


# --8<-- [end:pooling]
