"""CT measurement and reconstruction, each as its formula."""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


# --8<-- [start:hounsfield]
def hounsfield_units(mu: Array, *, mu_water: float) -> Array:
    """Linear attenuation -> CT number: water 0, vacuum -1000."""
    return 1000.0 * (mu - mu_water) / mu_water


# --8<-- [end:hounsfield]


# --8<-- [start:radon]
def disc_projection(detector_mm: Array, *, radius_mm: float, mu: float) -> Array:
    """Radon transform of a centred disc: chord length times attenuation, the same at every angle."""
    return 2.0 * mu * np.sqrt(np.maximum(radius_mm**2 - detector_mm**2, 0.0))


# --8<-- [end:radon]


# --8<-- [start:noise]
def noisy_line_integrals(p: Array, photons: float, rng: np.random.Generator) -> Array:
    """Beer-Lambert, Poisson counts, logarithm; mean near p, variance near exp(p) / photons."""
    counts = rng.poisson(photons * np.exp(-p))
    return -np.log(np.maximum(counts, 0.5) / photons)


# --8<-- [end:noise]


# --8<-- [start:ramp]
def ramp_filter(view: Array) -> Array:
    """Convolve one view with the ramp, sampled in space: 1/4 at 0, -1/(pi n)^2 at odd n, 0 at even n."""
    distance = np.arange(-len(view) + 1, len(view))
    odd = distance % 2 != 0
    kernel = np.where(odd, -1.0 / (np.pi * np.where(odd, distance, 1)) ** 2, 0.0)
    kernel[distance == 0] = 0.25
    return np.convolve(view, kernel)[len(view) - 1 : 2 * len(view) - 1]


# --8<-- [end:ramp]


# --8<-- [start:back_projection]
def back_project(filtered: Array, angles: Array, *, size: int) -> Array:
    """Filtered views (v, bins) -> image (y x), lengths in pixels: sum over views of the value below each pixel."""
    axis = np.arange(size) - (size - 1) / 2
    x, y = axis[None, :], axis[:, None]
    bins = np.arange(filtered.shape[1]) - (filtered.shape[1] - 1) / 2
    views = [np.interp(x * np.cos(a) - y * np.sin(a), bins, view) for a, view in zip(angles, filtered, strict=True)]
    return np.asarray(np.pi / len(angles) * np.sum(views, axis=0))


# --8<-- [end:back_projection]
