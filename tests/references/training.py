"""Steps of training, each as its formula."""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


# --8<-- [start:adamw]
def adamw_step(
    theta: Array, gradient: Array, moments: tuple[Array, Array], *, step: int, rate: float, decay: float
) -> tuple[Array, tuple[Array, Array]]:
    """Return parameters and moments after step 1, 2, ...; beta = (0.9, 0.999), epsilon = 1e-8."""
    first = 0.9 * moments[0] + 0.1 * gradient
    second = 0.999 * moments[1] + 0.001 * gradient**2
    unbiased = first / (1 - 0.9**step), second / (1 - 0.999**step)
    theta = theta * (1 - rate * decay)  # decoupled: not part of the gradient
    return theta - rate * unbiased[0] / (np.sqrt(unbiased[1]) + 1e-8), (first, second)


# --8<-- [end:adamw]


# --8<-- [start:average]
def averaged(mean: Array, theta: Array, *, steps: int, decay: float) -> Array:
    """Exponential moving average of the weights after step 1, 2, ..."""
    kept = min(decay, (1 + steps) / (10 + steps))
    return kept * mean + (1.0 - kept) * theta


# --8<-- [end:average]


# --8<-- [start:schedule]
def learning_rate(step: int, *, steps: int, peak: float, warmup: float) -> float:
    """Rate of step 0, 1, ... of `steps`; `warmup` is a share of the steps."""
    warm = max(1, round(warmup * steps))
    if step < warm:
        return peak * (step + 1) / warm
    return float(peak * (1.0 + np.cos(np.pi * (step - warm) / (steps - warm))) / 2)


# --8<-- [end:schedule]
