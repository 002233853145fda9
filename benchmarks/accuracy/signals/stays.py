"""Death in hospital from 48 hours of intensive care (cinc2012_icu): summaries with ridge regression and with trees.

``python -m benchmarks.accuracy.signals.stays`` divides set a by itself first, then fits to all of it and judges set b
once; it writes ``results/signals-stays.json``. Thresholds come from what was held out in set a.
"""

import argparse
from typing import cast

import numpy as np
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

from benchmarks.accuracy.signals.sets import Series, read_stays
from benchmarks.record import provenance, write_result
from hounsfield.core.streams import stream
from hounsfield.core.types import Float64Array, IntArray
from hounsfield.learn.learners import LEARNERS
from hounsfield.learn.learners.protocol import Learner
from hounsfield.learn.loop import Watch
from hounsfield.learn.threads import settle_threads

LEARNED = ("summaries", "trees")
FOLDS = 5
MUST = {"auroc": 0.84, "event_1": 0.48}
AIM = {"auroc": 0.87, "event_1": 0.53}
COMMAND = "python -m benchmarks.accuracy.signals.stays"


def odds(series: Series, train: IntArray, judged: IntArray, seed: int) -> dict[str, Float64Array]:
    """Return the log-odds of death that each learner, and the mean of both, gives to rows."""
    found = {}
    for name in LEARNED:
        learner, job = cast(Learner, LEARNERS.resolve(name)), series.job(seed)
        state = learner.fit(series.feed(train), job, watch=Watch())
        raw = learner.open(state, job).run(series.rows(judged))["class"]
        found[name] = raw[:, 1] - raw[:, 0]
        print(f"  {name} fitted to {len(train)} stays", flush=True)
    found["both"] = np.mean(list(found.values()), axis=0)
    return found


def event_1(score: Float64Array, truth: IntArray, threshold: float) -> float:
    """Return the smaller of sensitivity and positive predictive value, the challenge's first event."""
    said = score >= threshold
    right = int((said & (truth == 1)).sum())
    return min(right / max(int(truth.sum()), 1), right / max(int(said.sum()), 1))


def best_threshold(score: Float64Array, truth: IntArray) -> float:
    """Return the threshold with the largest `event_1`: as many are said to die as do."""
    candidates = np.sort(score)[-3 * int(truth.sum()) :]
    return float(max(candidates, key=lambda t: event_1(score, truth, t)))


def intervals(score: Float64Array, truth: IntArray, threshold: float) -> dict[str, list[float]]:
    """Return 95% intervals over 1000 resamples of the stays."""
    rng = stream(0, "stays")
    drawn = [rng.integers(0, len(truth), len(truth)) for _ in range(1000)]
    areas = [roc_auc_score(truth[d], score[d]) for d in drawn]
    events = [event_1(score[d], truth[d], threshold) for d in drawn]
    return {
        n: [round(float(q), 4) for q in np.quantile(v, (0.025, 0.975))]
        for n, v in (("auroc", areas), ("event_1", events))
    }


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--inside", action="store_true", help="set a alone: nothing is judged on set b or written")
    arguments = parser.parse_args()
    settle_threads(1)
    series = read_stays()
    truth = series.answers[series.train]
    held_out = {name: np.zeros(len(truth)) for name in (*LEARNED, "both")}
    for inside, outside in StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(truth, truth):
        for name, said in odds(series, series.train[inside], series.train[outside], arguments.seed).items():
            held_out[name][outside] = said
    thresholds = {name: best_threshold(said, truth) for name, said in held_out.items()}
    rows: dict[str, dict[str, object]] = {}
    for name, said in held_out.items():
        inside_a = {
            "auroc": round(float(roc_auc_score(truth, said)), 4),
            "event_1": round(event_1(said, truth, thresholds[name]), 4),
        }
        rows[name] = {"inside_a": inside_a}
        print(f"  {name} inside a: {inside_a}", flush=True)
    if arguments.inside:
        return
    answers = series.answers[series.test]
    for name, said in odds(series, series.train, series.test, arguments.seed).items():
        area, event = float(roc_auc_score(answers, said)), event_1(said, answers, thresholds[name])
        chance = 1.0 / (1.0 + np.exp(-said))
        rows[name] |= {
            "auroc": round(area, 4),
            "event_1": round(event, 4),
            "intervals": intervals(said, answers, thresholds[name]),
            "brier": round(float(((chance - answers) ** 2).mean()), 4),
            "mean_probability": round(float(chance.mean()), 4),
            "met": area > MUST["auroc"] and event > MUST["event_1"],
        }
        print(f"  {name} on b: AUC {area:.4f}, event 1 {event:.4f}", flush=True)
    write_result(
        "signals-stays",
        {
            **provenance(COMMAND),
            "data": f"cinc2012_icu: {len(truth)} stays of set a to learn, {len(answers)} of set b to judge",
            "died": {"a": int(truth.sum()), "b": int(answers.sum())},
            "learners": rows,
            "must": MUST,
            "aim": AIM,
        },
    )


if __name__ == "__main__":
    main()
