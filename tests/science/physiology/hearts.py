"""Electrocardiograms made of bell curves, whose waves lie where they were put."""

import numpy as np

from hounsfield.core.streams import stream
from hounsfield.core.types import Float64Array

WAVES = {"p": (-0.17, 0.022, 0.12), "q": (-0.025, 0.008, -0.12), "r": (0.0, 0.010, 1.0), "s": (0.025, 0.008, -0.2)}
T_WAVE = (0.30, 0.045, 0.3)


def heart(
    beats_s: Float64Array, rate_hz: float, length_s: float, *, noise: float = 0.02, t_height: float = 0.3, seed: int = 0
) -> Float64Array:
    """Return one lead in mV with R peaks at given times."""
    time = np.arange(round(length_s * rate_hz)) / rate_hz
    result = np.zeros(len(time))
    for wave in (*WAVES.values(), (T_WAVE[0], T_WAVE[1], t_height)):
        offset, width, height = wave
        for beat in beats_s:
            middle = beat + offset
            a, b = np.searchsorted(time, (middle - 5 * width, middle + 5 * width))
            result[a:b] += height * np.exp(-((time[a:b] - middle) ** 2) / (2 * width**2))
    rng = stream(seed, "heart")
    wander = 0.3 * np.sin(2 * np.pi * 0.25 * time + 1)
    return np.asarray(result + wander + rng.normal(0, noise, len(time)))


def beat_times(length_s: float, rr_s: float = 0.8, spread: float = 0.05, seed: int = 0) -> Float64Array:
    rng = stream(seed, "beats")
    steps = np.clip(rng.normal(rr_s, spread, int(length_s / rr_s * 1.5)), 0.4, 2)
    times = 0.5 + np.cumsum(steps)
    return np.asarray(times[times < length_s - 0.6])
