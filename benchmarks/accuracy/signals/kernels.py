"""Random kernels and the nearest neighbour on the medical sets of the UCR archive, official split.

``python -m benchmarks.accuracy.signals.kernels [--seeds 3] [--only ECG200]`` writes ``results/signals-kernels.json``.
Everything is chosen inside the training part; each test part is judged once for each seed.
"""

import argparse
import time
from typing import cast

import numpy as np

from benchmarks.accuracy.signals.sets import UCR, Series, published, read_ucr
from benchmarks.record import provenance, write_result
from hounsfield.core.types import Float64Array, IntArray
from hounsfield.learn.learners import LEARNERS
from hounsfield.learn.learners.protocol import Learner
from hounsfield.learn.loop import Watch
from hounsfield.learn.threads import settle_threads

MUST = {"ECG5000": 0.945, "ECG200": 0.90, "PigArtPressure": 0.95}
AIM = {"ECG5000": 0.950, "ECG200": 0.93, "PigArtPressure": 0.995}
BELOW_ROCKET = 0.01
"""What the mean of the other sets may be below the published one."""
COMMAND = "python -m benchmarks.accuracy.signals.kernels"


def judged(name: str, series: Series, seed: int) -> dict[str, float]:
    """Return accuracy and log loss on the test part, and the seconds of fitting and of answering."""
    learner, job = cast(Learner, LEARNERS.resolve(name)), series.job(seed)
    began = time.perf_counter()
    state = learner.fit(series.feed(series.train), job, watch=Watch())
    fitted = time.perf_counter()
    logits = learner.open(state, job).run(series.rows(series.test))["class"]
    answered = time.perf_counter()
    truth = series.answers[series.test]
    return {
        "accuracy": float((logits.argmax(axis=1) == truth).mean()),
        "log_loss": _log_loss(logits, truth),
        "fit_seconds": round(fitted - began, 1),
        "run_seconds": round(answered - fitted, 1),
    }


def _log_loss(logits: Float64Array, truth: IntArray) -> float:
    return float((np.logaddexp.reduce(logits, axis=1) - logits[np.arange(len(truth)), truth]).mean())


def interval(accuracy: float, count: int) -> list[float]:
    """Return Wilson's 95% interval of an accuracy."""
    z = 1.96
    middle = (accuracy + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * np.sqrt(accuracy * (1 - accuracy) / count + z * z / (4 * count**2))
    return [round(float(middle - half), 4), round(float(middle + half), 4)]


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--only", nargs="*", choices=UCR, default=list(UCR))
    arguments = parser.parse_args()
    settle_threads(1)
    rocket, rows = published(), {}
    for name in arguments.only:
        series = read_ucr(name)
        kernels = [judged("kernels", series, seed) for seed in range(arguments.seeds)]
        floor = judged("neighbours", series, 0)
        accuracy = float(np.mean([k["accuracy"] for k in kernels]))
        rows[name] = {
            "train": len(series.train),
            "test": len(series.test),
            "accuracy": round(accuracy, 4),
            "interval": interval(accuracy, len(series.test)),
            "log_loss": round(float(np.mean([k["log_loss"] for k in kernels])), 4),
            "by_seed": [round(k["accuracy"], 4) for k in kernels],
            "seconds": {k: kernels[0][k] for k in ("fit_seconds", "run_seconds")},
            "published_rocket": round(rocket[name], 4),
            "neighbours": {k: round(v, 4) for k, v in floor.items()},
            **({"must": MUST[name], "aim": AIM[name], "met": accuracy >= MUST[name]} if name in MUST else {}),
        }
        print(f"  {name}: {accuracy:.4f}, ROCKET {rocket[name]:.4f}, neighbours {floor['accuracy']:.4f}", flush=True)
    others = [n for n in rows if n not in MUST]
    below = float(np.mean([rocket[n] - float(cast("float", rows[n]["accuracy"])) for n in others])) if others else None
    if set(rows) == set(UCR):
        write_result(
            "signals-kernels",
            {
                **provenance(f"{COMMAND} --seeds {arguments.seeds}"),
                "data": "ucr_medical, official split, each series standardised; ECG5000: 4499 of 4500 test series",
                "sets": rows,
                "others_below_rocket": round(below, 4) if below is not None else None,
                "others_may_be_below": BELOW_ROCKET,
                "others_met": below is not None and below <= BELOW_ROCKET,
            },
        )


if __name__ == "__main__":
    main()
