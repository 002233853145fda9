"""Recurrent layers, each as its formula, for one series, step by step."""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def sigmoid(values: Array) -> Array:
    return np.asarray(1.0 / (1.0 + np.exp(-values)))


# --8<-- [start:textbook]
def textbook(series: Array, w: Array, u: Array, b: Array) -> Array:
    """Series (t c) -> states (t h): h_t = tanh(W x_t + U h_(t-1) + b), h_0 = 0."""
    state, states = np.zeros(len(u)), []
    for now in series:
        state = np.tanh(w @ now + u @ state + b)
        states.append(state)
    return np.array(states)


# --8<-- [end:textbook]


# --8<-- [start:gaps]
def gaps(clock: Array, observed: Array) -> Array:
    """Clock (t), observed (t c) -> (t c), by the recursion of Che et al., equation 2."""
    gap = np.zeros(observed.shape)
    for t in range(1, len(clock)):
        passed = clock[t] - clock[t - 1]
        gap[t] = np.where(observed[t - 1] == 1, passed, passed + gap[t - 1])
    return gap


# --8<-- [end:gaps]


# --8<-- [start:decay]
def gru_decay(values: Array, clock: Array, weights: dict[str, Array]) -> Array:
    """Values (t c) with NaN where nothing was observed -> states (t h) of GRU-D; the mean of a channel is 0."""
    observed = np.isfinite(values).astype(np.float64)
    gap = gaps(clock, observed)
    width = len(weights["candidate"])
    state, seen, states = np.zeros(width), np.zeros(values.shape[1]), []
    for x, m, d in zip(np.nan_to_num(values), observed, gap, strict=True):
        fade = np.exp(-np.maximum(0.0, weights["value_decay"] * d + weights["value_bias"]))
        keep = np.exp(-np.maximum(0.0, weights["state_decay.weight"] @ d + weights["state_decay.bias"]))
        filled = m * x + (1.0 - m) * fade * seen
        seen = np.where(m == 1.0, x, seen)
        state = keep * state
        drive = weights["drive.weight"] @ np.concatenate([filled, m]) + weights["drive.bias"]
        gates = sigmoid(drive[: 2 * width] + weights["gates"] @ state)
        reset, update = gates[:width], gates[width:]
        fresh = np.tanh(drive[2 * width :] + weights["candidate"] @ (reset * state))
        state = (1.0 - update) * state + update * fresh
        states.append(state)
    return np.array(states)


# --8<-- [end:decay]


# --8<-- [start:attention]
def attention(states: Array, a: Array, bias: Array, v: Array) -> Array:
    """States (t c) -> (c): mean weighted by softmax over t of v . tanh(A h_t + bias)."""
    scores = np.array([v @ np.tanh(a @ state + bias) for state in states])
    weights = np.exp(scores - scores.max())
    return np.asarray((weights[:, None] * states).sum(0) / weights.sum())


# --8<-- [end:attention]
