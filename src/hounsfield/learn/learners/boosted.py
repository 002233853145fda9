"""Gradient-boosted trees on summaries of irregular series and on rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from hounsfield.core.errors import BundleError
from hounsfield.core.streams import address, stream
from hounsfield.core.types import AnyArray, BoolArray, Float64Array, IntArray, Json
from hounsfield.learn.features.ridge import INNER_FOLDS, Folds, inner_folds
from hounsfield.learn.features.softening import class_lines, odds_line
from hounsfield.learn.feed import Feed
from hounsfield.learn.learners.answering import chance, class_answers, guesses, questions, raw_answers, several
from hounsfield.learn.learners.prevalence import share
from hounsfield.learn.learners.protocol import HeadSpec, Job, State
from hounsfield.learn.learners.tabled import fit_limits, table
from hounsfield.learn.loop import Watch
from hounsfield.learn.series.boosting import Boosting
from hounsfield.learn.series.trees import Loss, Trees, grow

MOST_ROWS = 50_000
"""Rows that trees are grown on at most."""
MOST_TREES = 6000
"""Trees of one question at most: with many classes there are fewer rounds."""
BLIND_ROUNDS = 50
"""Rounds where the training part cannot be divided."""


@dataclass(frozen=True)
class Grown:
    """Trees of one question, and the lines that make log-odds or logits of their outputs.

    Parameters
    ----------
    trees : Trees
    factor : float
        On outputs; 1 for numbers.
    offset : numpy.ndarray
        ``q``.
    present : numpy.ndarray
        ``p`` int64: of several classes, those that the training part had.
    unseen : numpy.ndarray
        ``k``: logits of all classes where nothing is learned of them; empty for yes-no questions and numbers.
    """

    trees: Trees
    factor: float
    offset: Float64Array
    present: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    unseen: Float64Array = field(default_factory=lambda: np.zeros(0))

    def arrays(self, name: str) -> dict[str, AnyArray]:
        """Return everything by name."""
        return self.trees.arrays(f"trees/{name}") | {
            f"factor/{name}": np.array([self.factor]),
            f"offset/{name}": self.offset,
            f"present/{name}": self.present,
            f"unseen/{name}": self.unseen,
        }

    @classmethod
    def of(cls, arrays: Mapping[str, AnyArray], name: str, *, features: int) -> "Grown":
        """Return what `arrays` gave."""
        numbers = [np.asarray(arrays[f"{n}/{name}"], dtype=np.float64) for n in ("factor", "offset", "unseen")]
        present = np.asarray(arrays[f"present/{name}"], dtype=np.int64)
        trees = Trees.of(arrays, f"trees/{name}", features=features)
        return cls(trees, float(numbers[0][0]), numbers[1], present, numbers[2])

    def __call__(self, rows: Float64Array) -> Float64Array:
        """Return log-odds ``n 1``, logits ``n k`` or a number ``n 1`` of rows ``n f``."""
        said = self.factor * self.trees(rows) + self.offset
        if not len(self.unseen):
            return said
        if len(self.present) == 2 and said.shape[1] == 1:
            said = np.hstack([-said, said]) / 2.0
        logits = np.repeat(self.unseen[None], len(rows), axis=0)
        logits[:, self.present] = said[:, : len(self.present)]
        return logits


@dataclass(frozen=True)
class Given:
    """What trees are grown on, and how.

    Parameters
    ----------
    rows : numpy.ndarray
        ``n f`` float64, NaN missing.
    groups : numpy.ndarray
        ``n``: rows of one group are held out together.
    how : Boosting
    seed : int
    """

    rows: Float64Array
    groups: IntArray
    how: Boosting
    seed: int

    def of(self, known: BoolArray) -> "Given":
        """Return some of the rows."""
        return replace(self, rows=self.rows[known], groups=self.groups[known])


class Boosted:
    """Grows trees for every question; how many rounds is chosen inside the training part."""

    name = "trees"

    def fit(self, feed: Feed, job: Job, *, watch: Watch) -> State:
        """Grow trees on the training rows alone.

        Raises
        ------
        PlanError
            If an input is an image.
        """
        chosen = feed.train
        if len(chosen) > MOST_ROWS:
            chosen = np.sort(stream(job.seed, "tree rows").permutation(chosen)[:MOST_ROWS])
        arrays = fit_limits(feed.inputs, chosen, job)
        rows = table({n: v[chosen] for n, v in feed.inputs.items()}, arrays, job)
        counts: list[Json] = []
        with watch.progress.step("Trees", float(len(job.heads))) as shown:
            for place, head in enumerate(job.heads):
                answers = np.asarray(feed.targets[head.target.name])[chosen]
                asked = _asked(Given(rows, feed.groups[chosen], job.trees, job.seed), answers, head)
                for number, grown in enumerate(asked):
                    arrays |= grown.arrays(f"{place}/{number}")
                counts.append(len(asked))
                shown.advance()
        return State(arrays, {"questions": counts, "features": rows.shape[1]})

    def open(self, state: State, job: Job) -> "BoostedRunner":
        """Return a runner in NumPy and compiled loops."""
        return BoostedRunner(state, job)


class BoostedRunner:
    """Fitted trees.

    Parameters
    ----------
    state : State
        From `Boosted.fit`.
    job : Job

    Raises
    ------
    BundleError
        If the trees are damaged.
    """

    def __init__(self, state: State, job: Job) -> None:
        facts = state.json if isinstance(state.json, dict) else {}
        counts, features = facts.get("questions"), facts.get("features")
        if not isinstance(counts, list) or len(counts) != len(job.heads) or not isinstance(features, int):
            raise BundleError(
                "The weights do not say how many questions their trees answer.",
                expected="weights and facts of the same bundle",
                next_step="copy the bundle again, whole",
            )
        self._features = features
        self._arrays = state.arrays
        self._job = job
        self._grown = [
            [Grown.of(state.arrays, f"{place}/{n}", features=features) for n in range(int(str(count)))]
            for place, count in enumerate(counts)
        ]

    def run(self, inputs: Mapping[str, AnyArray]) -> dict[str, Float64Array]:
        """Return raw outputs by target, ``n w`` float64, for stored inputs ``n c t`` and ``n c``.

        Raises
        ------
        BundleError
            If the inputs give another number of values than the trees were grown on.
        """
        rows = table(inputs, self._arrays, self._job)
        if rows.shape[1] != self._features:
            raise BundleError(
                f"The trees look at {self._features} numbers, the inputs give {rows.shape[1]}.",
                expected="inputs as the plan of the bundle prepares them",
                next_step="copy the bundle again, whole",
            )
        outputs = {}
        for head, asked in zip(self._job.heads, self._grown, strict=True):
            outputs[head.target.name] = raw_answers(np.hstack([grown(rows) for grown in asked]), head)
        return outputs


def _asked(given: Given, values: AnyArray, head: HeadSpec) -> list[Grown]:
    """Return the trees of each question of a head."""
    if head.loss == "number":
        numbers = np.asarray(values, dtype=np.float64).reshape(len(values), -1)[:, 0]
        known = np.isfinite(numbers)
        if known.sum() < 2:
            return [_constant(share(numbers[:, None], head))]
        return [_grown(given.of(known), (numbers[known] - head.mean) / head.std, loss="number")]
    if several(head):
        return [_classes(given, class_answers(values), len(head.target.classes))]
    found = []
    for column, guess in zip(questions(values, head).T, guesses(head), strict=True):
        known = np.isfinite(column)
        truth = column[known]
        if len(truth) < 2 or truth.min() == truth.max():
            found.append(_constant(np.array([chance(truth, guess)])))
        else:
            found.append(_grown(given.of(known), truth, loss="classes"))
    return found


def _classes(given: Given, answers: IntArray, classes: int) -> Grown:
    """Return trees of one of several classes; a class that no row has keeps the odds of one that was not seen."""
    known = answers >= 0
    present, own = np.unique(answers[known], return_inverse=True)
    unseen = np.full(classes, -np.log(2.0 * known.sum() + 1.0))
    if len(present) < 2:
        unseen[present] = 0.0
        return replace(_constant(np.zeros(1)), unseen=unseen)
    found = _grown(given.of(known), own.astype(np.float64), loss="classes")
    return replace(found, present=present, unseen=unseen)


def _constant(level: Float64Array) -> Grown:
    """Return no trees at all, which say the same of everyone."""
    none, leaf = np.zeros(0, dtype=np.int64), np.zeros(0)
    trees = Trees(none, leaf, none, none, none.astype(np.bool_), leaf, np.zeros((0, len(level)), np.int64), level)
    return Grown(trees, 1.0, np.zeros(len(level)))


def _grown(given: Given, answers: Float64Array, *, loss: Loss) -> Grown:
    """Choose the rounds by held-out groups, grow on all rows, and soften by what was held out."""
    outputs = int(answers.max()) + 1 if loss == "classes" and answers.max() > 1 else 1
    most = max(1, min(given.how.rounds, MOST_TREES // outputs))
    labels = answers.astype(np.int64) if loss == "classes" else np.zeros(len(answers), dtype=np.int64)
    folds = inner_folds(labels, given.groups, seed=address(given.seed, "inner folds"))
    step = max(1, min(INNER_FOLDS, len(np.unique(given.groups))))
    divisions = [folds[at : at + step] for at in range(0, len(folds), step)][: given.how.divisions]
    each = [_held_out(given, answers, own, loss=loss, most=most) for own in divisions]
    told = [said for said in each if said is not None]
    if not told:
        trees = grow(given.rows, answers, given.how, loss=loss, rounds=min(most, BLIND_ROUNDS), seed=given.seed)
        return Grown(trees, 1.0, np.zeros(outputs))
    rounds = int(np.argmin(np.sum([[_cost(said, answers, loss) for said in own] for own in told], axis=0)))
    trees = grow(given.rows, answers, given.how, loss=loss, rounds=rounds, seed=given.seed)
    if loss == "number" or rounds == 0:
        return Grown(trees, 1.0, np.zeros(outputs))
    held_out = np.mean([own[rounds] for own in told], axis=0)
    if outputs > 1:
        factor, offsets = class_lines(held_out, labels)
        return Grown(trees, factor, offsets)
    factor, offset = odds_line(held_out[:, 0], answers)
    return Grown(trees, factor, np.array([offset]))


def _held_out(given: Given, answers: Float64Array, folds: Folds, *, loss: Loss, most: int) -> Float64Array | None:
    """Return what trees of the other folds say after each round, ``r + 1 n q``; None where they lack a class."""
    found: Float64Array | None = None
    classes = np.unique(answers) if loss == "classes" else np.zeros(0)
    for inside, outside in folds:
        if loss == "classes" and len(np.unique(answers[inside])) < len(classes):
            return None
        trees = grow(given.rows[inside], answers[inside], given.how, loss=loss, rounds=most, seed=given.seed)
        if found is None:
            found = np.zeros((most + 1, len(answers), len(trees.start)))
        found[:, outside] = trees.staged(given.rows[outside])
    return found


def _cost(said: Float64Array, answers: Float64Array, loss: Loss) -> float:
    if loss == "number":
        return float(((said[:, 0] - answers) ** 2).mean())
    if said.shape[1] == 1:
        return float(np.logaddexp(0.0, (1.0 - 2.0 * answers) * said[:, 0]).mean())
    right = said[np.arange(len(said)), answers.astype(np.int64)]
    return float((np.logaddexp.reduce(said, axis=1) - right).mean())


BOOSTED = Boosted()
"""The learner."""
