"""Whether a further term of the loss helps where its rule would ask for it: paired runs on DRIVE, no test image seen.

Each way is trained with the same seeds, batches and steps on the training part, and judged on the validation images
that were taken from it: pooled Dice and centre-line Dice at the best threshold, AUC and average precision of pixels,
all within the field of view.
"""

import argparse
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from benchmarks.accuracy.annotate.sets import read_sets
from benchmarks.record import provenance, write_result
from hounsfield.core.plan import Plan
from hounsfield.core.progress import SILENT
from hounsfield.core.types import BoolArray, Float32Array

WAYS: dict[str, dict[str, float]] = {
    "plain": {},
    "skeleton": {"skeleton": 0.5},
    "focal": {"focal": 2.0},
    "boundary": {"boundary": 0.5},
}


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", default="drive")
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--ways", nargs="*", default=list(WAYS), choices=list(WAYS))
    parser.add_argument("--log", type=Path, help="one line of JSON for each run; what is there is not run again")
    wanted = parser.parse_args()
    done: dict[str, dict[str, float]] = {}
    if wanted.log is not None and wanted.log.exists():
        done = {k: v for line in wanted.log.read_text().splitlines() for k, v in json.loads(line).items()}
    with tempfile.TemporaryDirectory() as work:
        trial = Trial(read_sets()[wanted.set].source, Path(work), steps=wanted.steps)
        for seed in range(wanted.seeds):
            for way in wanted.ways:
                name = f"{way}, seed {seed}"
                if name not in done:
                    done[name] = trial.judged(WAYS[way], seed)
                    if wanted.log is not None:
                        with wanted.log.open("a") as file:
                            file.write(json.dumps({name: done[name]}) + "\n")
                print(name, {k: round(v, 4) for k, v in done[name].items()}, flush=True)
    command = (
        f"python -m benchmarks.accuracy.annotate.terms --set {wanted.set} --steps {wanted.steps} --seeds {wanted.seeds}"
    )
    write_result(f"annotate-terms-{wanted.set}", {**provenance(command), "runs": done, "ways": WAYS})


class Trial:
    """A plan and its prepared cases.

    Parameters
    ----------
    source, work : Path
    steps : int
    """

    def __init__(self, source: Path, work: Path, *, steps: int) -> None:
        from hounsfield.workflow.dense.jobs import prepare_dense
        from hounsfield.workflow.dense.planning import dense_draft
        from hounsfield.workflow.machine import machine
        from hounsfield.workflow.study import study
        from hounsfield.workflow.wishes import Wishes

        wishes = Wishes(task="annotate", minutes=30, threads=1)
        known = study(source, wishes, progress=SILENT)
        plan = dense_draft(known, wishes, machine())
        optimisation = {**plan.sections["optimisation"]}
        optimisation["steps"] = optimisation["steps"].model_copy(update={"value": steps})
        average = round(1.0 - 20.0 / steps, 4)
        optimisation["averaging"] = optimisation["averaging"].model_copy(update={"value": average})
        self.plan: Plan = plan.with_section("optimisation", optimisation)
        self.prepared = prepare_dense(self.plan, known, work=work, progress=SILENT)

    def judged(self, terms: Mapping[str, float], seed: int) -> dict[str, float]:
        """Train with further terms and return figures of the validation images."""
        from hounsfield.bundle.sealed import Member
        from hounsfield.learn.dense.job import Terms, dense_json
        from hounsfield.learn.dense.learner import DENSE
        from hounsfield.learn.loop import Watch
        from hounsfield.workflow.dense.jobs import dense_job_of
        from hounsfield.workflow.dense.planning import runner_of

        job = dense_job_of(self.plan.model_copy(update={"seed": seed})).model_copy(update={"terms": Terms(**terms)})
        state = DENSE.fit(self.prepared.feed, job, watch=Watch())
        runner = runner_of(self.plan, [Member("dense", state.arrays, dense_json(job, None))])
        cases = self.prepared.feed.cases
        found = []
        for row in self.prepared.feed.val:
            said = next(iter(runner.dense(cases.image(int(row))).values()))[0].astype(np.float32)
            truth, inside = (np.asarray(cases.label(int(row))[n] != 0, dtype=np.bool_) for n in (0, -1))
            found.append((said, truth, inside))
        return figures(found)


def figures(cases: list[tuple[Float32Array, BoolArray, BoolArray]]) -> dict[str, float]:
    """Return pooled figures of probabilities, truths and regions."""
    from skimage.morphology import skeletonize
    from sklearn.metrics import average_precision_score, roc_auc_score

    said = np.concatenate([p[r] for p, _, r in cases])
    true = np.concatenate([t[r] for _, t, r in cases])
    levels = np.linspace(0.02, 0.98, 97)
    dices = [2 * (true & (said >= v)).sum() / (true.sum() + (said >= v).sum()) for v in levels]
    best = float(levels[int(np.argmax(dices))])
    lines = []
    for p, t, r in cases:
        marked, right = (p >= best) & r, t & r
        precise = (skeletonize(marked) & right).sum() / max(1, skeletonize(marked).sum())
        found = (skeletonize(right) & marked).sum() / max(1, skeletonize(right).sum())
        lines.append(2 * precise * found / max(precise + found, 1e-9))
    return {
        "dice_pooled": float(max(dices)),
        "threshold": best,
        "centre_line_dice": float(np.mean(lines)),
        "pixel_auroc": float(roc_auc_score(true, said)),
        "pixel_average_precision": float(average_precision_score(true, said)),
    }


if __name__ == "__main__":
    main()
