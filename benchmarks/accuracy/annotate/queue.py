"""Does `hu queue` choose better than chance? Lungs of cxr-lung-tb: 20 cases, then 20 more by queue or at random.

For each seed a model is trained on a few cases, says of the pool which to annotate next, and is trained again with
those added; and again with as many drawn at random. Both are judged on the same held-out cases. Pictures are shrunk and
steps are few, so that all seeds end within 20 minutes on two cores; what is finished is not done again.
"""

import argparse
import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.stats import t as student

from benchmarks.record import RUNS, code, data_root, provenance, write_result
from hounsfield.core.streams import stream

NAME = "cxr-lung-tb"
WAYS = ("queue", "random")
VALIDATION = 5
"""Every so many of the annotated cases are for validation."""


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--first", type=int, default=20, help="cases to begin with")
    parser.add_argument("--more", type=int, default=20, help="cases to add")
    parser.add_argument("--held", type=int, default=120, help="cases to judge on")
    parser.add_argument("--edge", type=int, default=96, help="pixels that pictures are shrunk to")
    parser.add_argument("--steps", type=int, default=120, help="of each training")
    wanted = parser.parse_args()
    source = data_root() / NAME
    if not source.exists():
        print(f"{NAME}: skipped, the data are not on this machine")
        return
    sizes = f"{wanted.first}+{wanted.more}-{wanted.held}-{wanted.edge}px-{wanted.steps}"
    work = RUNS / f"queue-{NAME}-{sizes}-{code()}"
    table = shrunk(source, work / "pictures", edge=wanted.edge)
    found = []
    for seed in range(wanted.seeds):
        print(f"seed {seed}", flush=True)
        parts = divided(sorted(table), seed, first=wanted.first, held=wanted.held)
        found.append(one(table, parts, work / f"seed{seed}", seed=seed, more=wanted.more, steps=wanted.steps))
        print(f"  Dice { ({k: round(float(np.mean(list(v.values()))), 4) for k, v in found[-1].items()}) }", flush=True)
    command = (
        f"python -m benchmarks.accuracy.annotate.queue --seeds {wanted.seeds} --first {wanted.first} "
        f"--more {wanted.more} --held {wanted.held} --edge {wanted.edge} --steps {wanted.steps}"
    )
    write_result(f"queue-{NAME}", {**provenance(command), **summary(found)})


def shrunk(source: Path, out: Path, *, edge: int) -> dict[str, tuple[Path, Path]]:
    """Write the pictures that have a mask at a smaller size, and return image and mask by case.

    Parameters
    ----------
    source : Path
        With ``labels.csv``.
    out : Path
    edge : int
    """
    table = {}
    with (source / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["lung_mask"]]
    for row in rows:
        made = (out / "images" / f"{row['id']}.png", out / "masks" / f"{row['id']}.png")
        table[row["id"]] = made
        for path, name, way in zip(
            made, ("image", "lung_mask"), (Image.Resampling.BOX, Image.Resampling.NEAREST), strict=True
        ):
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                draft = path.with_suffix(".draft")
                Image.open(source / row[name]).convert("L").resize((edge, edge), way).save(draft, "PNG")
                draft.replace(path)
    return table


def divided(names: Sequence[str], seed: int, *, first: int, held: int) -> dict[str, list[str]]:
    """Return cases to begin with, to judge on, and the pool, drawn by a seed."""
    order = stream(seed, "queue benchmark").permutation(len(names))
    drawn = [names[int(n)] for n in order]
    return {"first": drawn[:first], "held": drawn[first : first + held], "pool": drawn[first + held :]}


def one(
    table: Mapping[str, tuple[Path, Path]],
    parts: Mapping[str, Sequence[str]],
    work: Path,
    *,
    seed: int,
    more: int,
    steps: int,
) -> dict[str, dict[str, float]]:
    """Return the Dice of the held-out cases by case: of the first model, and with cases added either way."""
    from hounsfield.workflow.dense.queueing import queue

    found = {"first": judged(table, parts["first"], parts["held"], work / "first", seed=seed, steps=steps)}
    chosen = work / "chosen.csv"
    if not chosen.exists():
        pool = [table[name][0] for name in parts["pool"]]
        chosen.write_text("\n".join(w.sample for w in queue(work / "first" / "run", pool, number=more)), "utf-8")
    drawn = stream(seed, "queue benchmark, at random").permutation(len(parts["pool"]))[:more]
    added = {
        "queue": [name for name in chosen.read_text("utf-8").split("\n") if name],
        "random": [parts["pool"][int(n)] for n in drawn],
    }
    for way in WAYS:
        cases = [*parts["first"], *added[way]]
        found[way] = judged(table, cases, parts["held"], work / way, seed=seed, steps=steps)
    return found


def judged(
    table: Mapping[str, tuple[Path, Path]],
    cases: Sequence[str],
    held: Sequence[str],
    work: Path,
    *,
    seed: int,
    steps: int,
) -> dict[str, float]:
    """Train on cases and return the Dice of each held-out case, from the sealed bundle."""
    from hounsfield.workflow.training import train
    from hounsfield.workflow.wishes import Wishes

    written = work / "run" / "predictions.csv"
    if not ((work / "run" / "report.json").exists() and not (work / "run" / ".work").exists()):
        data = laid_out(table, cases, held, work / "data")
        train(data, out=work / "run", wishes=Wishes(task="annotate", seed=seed, max_steps=steps))
    with written.open(encoding="utf-8", newline="") as file:
        return {row["sample"]: float(row["dice"]) for row in csv.DictReader(file) if row["part"] == "test"}


def laid_out(table: Mapping[str, tuple[Path, Path]], cases: Sequence[str], held: Sequence[str], folder: Path) -> Path:
    """Lay out a folder as a user would have it: pictures and masks (hard links), and a table with their parts.

    Parameters
    ----------
    table : mapping
    cases, held : sequence of str
        Annotated cases in order, every `VALIDATION`-th for validation, and those to judge on.
    folder : Path
    """
    lines = ["id,split,image,mask"]
    parts = [("val" if n % VALIDATION == VALIDATION - 1 else "train", name) for n, name in enumerate(cases)]
    for part, name in [*parts, *(("test", name) for name in held)]:
        lines.append(f"{name},{part},images/{name}.png,masks/{name}.png")
        for kind, path in zip(("images", "masks"), table[name], strict=True):
            (folder / kind).mkdir(parents=True, exist_ok=True)
            if not (folder / kind / path.name).exists():
                (folder / kind / path.name).hardlink_to(path)
    (folder / "labels.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def summary(found: Sequence[Mapping[str, Mapping[str, float]]]) -> dict[str, object]:
    """Return mean Dice, and by how much the queue is above chance, with an interval.

    Parameters
    ----------
    found : sequence of mapping
        For each seed the Dice of every held-out case, ``first``, ``queue`` and ``random``.

    Notes
    -----
    A seed is one draw of all that matters (first cases, held-out cases, random choice, weights), so the interval is
    Student's over the paired differences of seeds; cases within a seed share two models and are no further draws.
    """
    means = {way: [float(np.mean(list(seed[way].values()))) for seed in found] for way in ("first", *WAYS)}
    apart = np.array(means["queue"]) - np.array(means["random"])
    low = high = None
    if len(apart) > 1:
        half = float(student.ppf(0.975, len(apart) - 1) * apart.std(ddof=1) / np.sqrt(len(apart)))
        low, high = float(apart.mean()) - half, float(apart.mean()) + half
    return {
        "seeds": len(found),
        "dice": {way: float(np.mean(values)) for way, values in means.items()},
        "dice_by_seed": means,
        "queue_minus_random": {"value": float(apart.mean()), "low": low, "high": high},
        "seeds_ahead": int((apart > 0).sum()),
        "note": "Dice is a mean over held-out cases; the interval is Student's over seeds, paired",
    }


if __name__ == "__main__":
    main()
