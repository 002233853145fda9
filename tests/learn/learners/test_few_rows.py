"""Boosted trees on few rows: what the plan's settings learn, and every step against scikit-learn."""

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss, roc_auc_score

from hounsfield.core.streams import address, stream
from hounsfield.core.types import Float32Array, IntArray
from hounsfield.learn.features.ridge import inner_folds
from hounsfield.learn.feed import Feed
from hounsfield.learn.learners.boosted import BOOSTED, Grown
from hounsfield.learn.loop import Watch
from hounsfield.learn.series.boosting import Boosting
from tests.learn.series.toys import series_job
from tests.learn.toys import TARGETS

COLUMNS = 12
FEW = Boosting(rounds=60, leaves=2, least=4, divisions=3)
"""What is planned for 40 rows, 16 of them positive (`tests/stages/planning/test_trees.py`), in fewer rounds."""
NAME = TARGETS["categorical"].name


def patients(count: int, *, seed: int) -> tuple[Float32Array, IntArray]:
    """Rows of which one column tells the answer, with errors; two of five are positive."""
    draws = stream(seed, "few rows")
    truth: IntArray = (np.arange(count) % 5 < 2).astype(np.int64)
    rows = draws.normal(size=(count, COLUMNS)).astype(np.float32)
    rows[:, 3] += 1.5 * truth
    return rows, truth


def grown(how: Boosting, *, seed: int = 2) -> tuple[Grown, Feed]:
    """Trees of 40 rows."""
    rows, truth = patients(40, seed=seed)
    everyone: IntArray = np.arange(40, dtype=np.int64)
    feed = Feed({"row": rows}, {NAME: truth}, everyone, everyone[:0], groups=everyone)
    state = BOOSTED.fit(feed, series_job().model_copy(update={"trees": how}), watch=Watch())
    return Grown.of(state.arrays, "0/0", features=COLUMNS), feed


def test_forty_rows_rank_fresh_ones_above_chance() -> None:
    fresh, truth = patients(500, seed=1)
    wide = fresh.astype(np.float64)
    areas = [roc_auc_score(truth, grown(FEW, seed=seed)[0](wide)[:, 0]) for seed in (2, 3, 4)]
    assert min(areas) > 0.65
    assert np.mean(areas) > 0.72  # the column alone: 0.86
    # and what leaves of 20 rows made of them: nothing can be divided, everyone is told the same
    nothing = grown(FEW.model_copy(update={"least": 20}))[0](wide)
    assert np.ptp(nothing) == 0.0


def test_the_rounds_and_the_trees_are_scikit_learns() -> None:
    made, feed = grown(FEW)
    rows, seed = feed.inputs["row"].astype(np.float64), series_job().seed
    truth: IntArray = feed.targets[NAME].astype(np.int64)

    def theirs(rounds: int) -> HistGradientBoostingClassifier:
        return HistGradientBoostingClassifier(
            learning_rate=FEW.rate,
            max_iter=rounds,
            max_leaf_nodes=FEW.leaves,
            min_samples_leaf=FEW.least,
            l2_regularization=FEW.penalty,
            max_features=FEW.fewest / COLUMNS,
            early_stopping=False,
            random_state=seed,
        )

    folds = inner_folds(truth, feed.groups, seed=address(seed, "inner folds"))[:12]  # three divisions into four
    costs = np.zeros(FEW.rounds)
    for inside, outside in folds:
        model = theirs(FEW.rounds).fit(rows[inside], truth[inside])
        for place, said in enumerate(model.staged_predict_proba(rows[outside])):
            costs[place] += len(outside) * log_loss(truth[outside], said[:, 1])
    rounds = int(costs.argmin()) + 1
    assert len(made.trees.roots) == rounds > 1
    wanted = theirs(rounds).fit(rows, truth).decision_function(patients(50, seed=2)[0].astype(np.float64))
    said = made.trees(patients(50, seed=2)[0].astype(np.float64))[:, 0]
    np.testing.assert_allclose(said, wanted, rtol=0, atol=1e-9)
