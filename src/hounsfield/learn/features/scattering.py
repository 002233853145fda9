"""Wavelet scattering: how strongly an image is striped, in which direction, at which scale, and where."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from hounsfield.learn.features.wavelets import waves

FLOOR = 1e-3
"""Added to every mean modulus before its logarithm: about a tenth of the modulus of faint texture."""
SMALLEST = {2: 6, 3: 4}
"""Shortest edge of a map that is still filtered, by number of space axes."""
COARSE = {2: 8, 3: 6}
"""Edge of the coarse picture, pixels."""
GRIDS = {2: (1, 2, 4), 3: (1, 2)}
"""Cells per axis."""
CELL = 3
"""Shortest edge of a cell, pixels of its map: means over fewer say more of noise than of the patient."""


class Scattering(nn.Module):
    """Mean log-moduli of first and second order, over grids of cells, and a coarse picture.

    Parameters
    ----------
    size : sequence of int
        ``y x`` or ``z y x`` of the images.
    channels : int
        Channels c; each is described alone.

    Attributes
    ----------
    features : int
        Length f of a description.
    emphasis : numpy.ndarray
        ``f``: how much each standardised feature should count, 1 divided by the root of its grid's cells per axis.
        Fine grids have most of the features; counted alike they would drown the few that see the whole image.

    Notes
    -----
    With ``x_j`` the image halved j times by means of neighbours and ``psi_a`` a Morlet wave of direction a,

    - first order: ``U_j,a = |x_j * psi_a|``, reported as ``log(floor + mean over a cell)``;
    - second order: ``|D^(k-j) U_j,a * psi_b|`` for all k > j and directions b, with D the halving: how the strength
      of one stripe pattern varies over a larger scale, which is what tells textures of one spectrum apart.

    Everything is a convolution, a modulus, a mean and a logarithm: nothing is learned, and a small shift or a smooth
    deformation changes little. A change of contrast adds one number to all logarithms.

    References
    ----------
    Bruna, Mallat, "Invariant scattering convolution networks", IEEE TPAMI 35(8), 2013. The pyramid in place of
    dilated waves follows the fast transform of Oyallon, Mallat, "Deep roto-translation scattering", CVPR 2015.
    """

    kernel: Tensor

    def __init__(self, size: Sequence[int], *, channels: int) -> None:
        super().__init__()
        self.ndim = len(size)
        self.channels = channels
        even, odd = (torch.from_numpy(part).float()[:, None] for part in waves(self.ndim))
        self.count = len(even)
        self.register_buffer("kernel", torch.cat([even, odd]), persistent=False)
        with torch.inference_mode():
            parts = self._parts(torch.zeros(1, channels, *size))
        self.emphasis = np.concatenate([np.full(values.shape[1], cells**-0.5) for values, cells in parts])
        self.features = len(self.emphasis)

    def forward(self, images: Tensor) -> Tensor:
        """Describe images.

        Parameters
        ----------
        images : Tensor
            ``b c y x`` or ``b c z y x``, float32, about zero mean and unit variance.

        Returns
        -------
        Tensor
            ``b f``, float32.
        """
        return torch.cat([values for values, _ in self._parts(images)], dim=1)

    def _parts(self, images: Tensor) -> list[tuple[Tensor, int]]:
        """Return groups of features ``b f``, each with the cells per axis that it tells apart."""
        found = [(_pooled(images, COARSE[self.ndim]), 1)]
        plane = images
        while min(plane.shape[2:]) >= SMALLEST[self.ndim]:
            first = self._moduli(plane)
            found += self._cells(first)
            strength = _halved(first)
            while min(strength.shape[2:]) >= SMALLEST[self.ndim]:
                found += self._cells(self._moduli(strength))
                strength = _halved(strength)
            plane = _halved(plane)
        return found

    def _moduli(self, maps: Tensor) -> Tensor:
        """Return moduli ``b c*k ...`` of maps ``b c ...`` in all directions."""
        half = self.kernel.shape[-1] // 2
        samples, channels = maps.shape[:2]
        alone = maps.reshape(samples * channels, 1, *maps.shape[2:])
        padded = functional.pad(alone, (half, half) * self.ndim, mode="reflect")
        convolve = functional.conv2d if self.ndim == 2 else functional.conv3d
        parts = convolve(padded, self.kernel)
        squared = parts[:, : self.count] ** 2 + parts[:, self.count :] ** 2
        # The small number keeps the root smooth at 0 and equal in all engines.
        return torch.sqrt(squared + 1e-8).reshape(samples, channels * self.count, *maps.shape[2:])

    def _cells(self, moduli: Tensor) -> list[tuple[Tensor, int]]:
        """Return logarithms of means over 1, 2 and 4 cells per axis, as far as the cells are large enough."""
        shortest = min(moduli.shape[2:])
        grids = [n for n in GRIDS[self.ndim] if n == 1 or shortest // n >= CELL]
        return [(torch.log(_pooled(moduli, n) + FLOOR), n) for n in grids]


def _halved(maps: Tensor) -> Tensor:
    """Return means of 2 x 2 (x 2) neighbours."""
    return functional.avg_pool2d(maps, 2) if maps.ndim == 4 else functional.avg_pool3d(maps, 2)


def _pooled(maps: Tensor, cells: int) -> Tensor:
    """Return means over a grid of cells, ``b c*cells^d``; a pixel on a border counts to both sides by its area.

    Notes
    -----
    One product with a matrix per axis: the same numbers in every engine, whatever sizes divide.
    """
    last = maps.ndim - 1
    for axis in range(last, 1, -1):
        shares = _shares(maps.shape[axis], cells).to(maps)
        maps = (maps.transpose(axis, last) @ shares).transpose(axis, last)
    return maps.flatten(1)


def _shares(edge: int, cells: int) -> Tensor:
    """Return the weights ``edge cells`` of pixels in cells of equal width; columns sum to 1."""
    borders = torch.arange(cells + 1, dtype=torch.float64) * edge / cells
    pixels = torch.arange(edge, dtype=torch.float64)[:, None]
    inside = torch.minimum(borders[1:], pixels + 1.0) - torch.maximum(borders[:-1], pixels)
    return (inside.clamp_min(0.0) * cells / edge).float()
