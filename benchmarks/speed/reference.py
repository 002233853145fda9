"""Seconds to a validation AUC on pneumoniamnist: the published protocol beside our plan; neither scores train or test.

The protocol: ResNet-18 with a small stem at 28 px, Adam at 1e-3 cut tenfold after 50 and 75 of 100 epochs, float32,
batch 128, the epoch with the best validation AUC kept. A few epochs are timed and extrapolated, or all are run. The
AUC to reach is that of whole runs: made here with ``--full``, or once on a faster device with ``--target-only``, since
the AUC does not depend on the device as the seconds do.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.record import RUNS, TOP, data_root, provenance, read_result, write_result
from benchmarks.speed.resnet import resnet18
from hounsfield.learn.threads import device, settle_threads
from hounsfield.science.statistics.discrimination import auroc
from hounsfield.workflow.machine import machine

EPOCHS, BATCH, RATE = 100, 128, 1e-3
MILESTONES = (50, 75)
LEAST = 3.0
NAME = "speed-reference"
TARGET = "speed-reference-target"
SEEDS = (0, 1, 2)
WORK = RUNS / "reference"


@dataclass(frozen=True)
class Images:
    """Training and validation part, scaled to -1 .. 1; the test part is never read."""

    train: Tensor
    train_labels: Tensor
    val: Tensor
    val_labels: Tensor


def images(path: Path) -> Images:
    """Return the two parts of an archive."""
    with np.load(path, allow_pickle=False) as found:

        def pixels(part: str) -> Tensor:
            stored = torch.from_numpy(found[f"{part}_images"]).float() / 255
            return ((stored - 0.5) / 0.5)[:, None]

        def labels(part: str) -> Tensor:
            return torch.from_numpy(found[f"{part}_labels"].reshape(-1).astype(np.int64))

        return Images(pixels("train"), labels("train"), pixels("val"), labels("val"))


def validation_auc(network: nn.Module, given: Images) -> float:
    """Return the AUC of the validation part."""
    network.eval()
    with torch.inference_mode():
        outputs = torch.cat([network(part) for part in torch.split(given.val, BATCH)])
    scores = outputs[:, 1] - outputs[:, 0]
    return auroc(given.val_labels.cpu().numpy(), scores.double().cpu().numpy())


def reference(given: Images, *, epochs: int, kept: Path | None = None, seed: int = 0) -> list[dict[str, float]]:
    """Train by the protocol and return, per epoch, seconds of training, seconds of scoring, and validation AUC.

    Parameters
    ----------
    given : Images
    epochs : int
        How many of the 100 to make.
    kept : Path or None
        File of checkpoints, one per epoch; what is there is continued.
    seed : int
        Of weights and order.
    """
    torch.manual_seed(seed)
    network = resnet18(given.train.shape[1], 2).to(given.train.device)
    optimiser = torch.optim.Adam(network.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimiser, milestones=list(MILESTONES), gamma=0.1)
    made: list[dict[str, float]] = []
    if kept is not None and kept.exists():
        state = torch.load(kept, weights_only=True)
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        schedule.load_state_dict(state["schedule"])
        made = state["made"]
    while len(made) < epochs:
        began = time.perf_counter()
        network.train()
        order = torch.randperm(len(given.train), generator=torch.Generator().manual_seed(1000 * seed + len(made)))
        for rows in torch.split(order, BATCH):
            optimiser.zero_grad()
            loss = functional.cross_entropy(network(given.train[rows]), given.train_labels[rows])
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            optimiser.step()
            float(loss.detach())
        schedule.step()
        trained = time.perf_counter()
        auc = validation_auc(network, given)
        made.append({"train": trained - began, "score": time.perf_counter() - trained, "auc": auc})
        print(f"  epoch {len(made)}: {made[-1]['train']:.1f} s, validation AUC {auc:.4f}", flush=True)
        if kept is not None:
            kept.parent.mkdir(parents=True, exist_ok=True)
            draft = kept.with_suffix(".draft")
            whole = {"network": network.state_dict(), "optimiser": optimiser.state_dict(), "made": made}
            torch.save({**whole, "schedule": schedule.state_dict()}, draft)
            draft.replace(kept)
    return made


def told(made: list[dict[str, float]]) -> dict[str, object]:
    """Return what the epochs say: seconds of 100 of them, and the best validation AUC so far.

    Parameters
    ----------
    made : list of dict
        From `reference`.

    Notes
    -----
    Training and one look at the validation part per epoch are counted, of the median epoch; the first is left out
    where there are more, since it warms up.
    """
    later = made[1:] or made
    epoch = float(np.median([m["train"] + m["score"] for m in later]))
    aucs = [m["auc"] for m in made]
    best = int(np.argmax(aucs))
    return {
        "epochs_run": len(made),
        "complete": len(made) >= EPOCHS,
        "seconds_per_epoch": epoch,
        "seconds_100_epochs": epoch * EPOCHS,
        "validation_auc": [round(a, 5) for a in aucs],
        "best_validation_auc": aucs[best],
        "best_epoch": best + 1,
        "seconds_to_best": epoch * (best + 1),
    }


def look(*, minutes: float, member: int, every: int, seconds: float, path: Path) -> None:
    """Fit one member by our plan, and write its validation outputs at every look, with the seconds so far.

    Parameters
    ----------
    minutes : float
        Budget of the plan.
    member : int
    every : int
        Steps between looks.
    seconds : float
        End after that many.
    path : Path
        Where to write an archive: ``seconds`` (l,) of training alone, ``seconds_with_looks`` (l,), ``outputs`` (l n).
    """
    from hounsfield.bundle.plans import read_plan
    from hounsfield.core.progress import SILENT
    from hounsfield.learn.learners.supervised import Answers, Batches, start
    from hounsfield.learn.loop import Loop
    from hounsfield.learn.ranks import ALONE
    from hounsfield.workflow.jobs import job_of, prepare_feed
    from hounsfield.workflow.study import study
    from hounsfield.workflow.wishes import Wishes

    settle_threads(1)
    plan = read_plan(WORK / f"plan-{minutes:g}.yaml")
    known = study(source(), Wishes(minutes=minutes), progress=SILENT)
    parts = {"train": known.split.ids("train"), "val": known.split.ids("val")}
    work = WORK / f"member-{member}"
    work.mkdir(parents=True, exist_ok=True)
    feed = prepare_feed(
        known.cohort, plan, known.task, parts=parts, groups=known.split.groups, work=work, progress=SILENT
    ).feed
    job = job_of(plan, known.task, known.fingerprint, member=member)
    loop = Loop(Answers(start(feed, job, on=device()), job), job.optimisation)
    batches = Batches(feed, job, ranks=ALONE)
    name, stored = next(iter(feed.inputs.items()))
    held = torch.from_numpy(job.preparation[name].normalised(stored[feed.val])).to(device())
    target = job.heads[0].target.name
    outputs: list[np.typing.NDArray[np.float64]] = []

    def figures(networks: Mapping[str, nn.Module]) -> dict[str, float]:
        network = networks["network"].eval()
        with torch.inference_mode():
            raw = (
                torch.cat([network({name: part}, {})[target] for part in torch.split(held, BATCH)])
                .double()
                .cpu()
                .numpy()
            )
        outputs.append(raw[:, 1] - raw[:, 0])
        return {"loss": 0.0}

    training, whole = [], []
    began, spent = time.perf_counter(), 0.0
    while loop.steps < job.optimisation.steps and time.perf_counter() - began < seconds:
        before = time.perf_counter()
        loop.step(batches)
        spent += time.perf_counter() - before
        if loop.steps % every == 0 or loop.steps == job.optimisation.steps:
            loop.validate(figures, 0.0)
            training.append(spent)
            whole.append(time.perf_counter() - began)
    np.savez(
        path,
        seconds=training,
        seconds_with_looks=whole,
        outputs=np.stack(outputs),
        truth=feed.targets[target][feed.val],
    )


def source() -> Path:
    """Return the archive."""
    return data_root() / "medmnist" / "pneumoniamnist.npz"


def ours(*, minutes: float, members: int, every: int, seconds: float) -> dict[str, object]:
    """Fit members side by side, one thread each, and return the validation AUC of their mean at every look.

    Parameters
    ----------
    minutes : float
        Budget of the plan.
    members : int
    every : int
        Steps between looks.
    seconds : float
        End after that many.
    """
    from hounsfield import plan

    WORK.mkdir(parents=True, exist_ok=True)
    path = WORK / f"plan-{minutes:g}.yaml"
    path.unlink(missing_ok=True)
    began = time.perf_counter()
    plan(source(), minutes=minutes, out=path)
    planning = time.perf_counter() - began
    words = [sys.executable, "-m", "benchmarks.speed.reference", "--minutes", str(minutes), "--every", str(every)]
    words += ["--seconds", str(seconds)]
    running = [subprocess.Popen([*words, "--member", str(m)], cwd=TOP) for m in range(members)]
    ended = [process.wait() for process in running]
    if any(ended):
        raise RuntimeError("a member failed; its error stands above")
    return merged([dict(np.load(WORK / f"looks-{m}.npz")) for m in range(members)]) | {
        "members": members,
        "minutes_of_plan": minutes,
        "planning_seconds": planning,
    }


def merged(looks: list[dict[str, np.typing.NDArray[np.float64]]]) -> dict[str, object]:
    """Return time and validation AUC of the members' mean output; a look is made once the slowest has come so far.

    Parameters
    ----------
    looks : list of dict of str to numpy.ndarray
        As `look` writes them.
    """
    count = min(len(m["seconds"]) for m in looks)
    seconds = np.max([m["seconds"][:count] for m in looks], axis=0)
    whole = np.max([m["seconds_with_looks"][:count] for m in looks], axis=0)
    mean = np.mean([m["outputs"][:count] for m in looks], axis=0)
    aucs = [auroc(looks[0]["truth"], row) for row in mean]
    return {
        "seconds": [round(float(s), 2) for s in seconds],
        "seconds_with_looks": [round(float(s), 2) for s in whole],
        "validation_auc": [round(a, 5) for a in aucs],
    }


def whole_runs() -> list[dict[str, object]]:
    """Return what whole runs of the reference reach, one for each seed, on whatever device there is."""
    parts = Images(**{k: v.to(device()) for k, v in vars(images(source())).items()})
    return [told(reference(parts, epochs=EPOCHS, seed=seed)) for seed in SEEDS]


class Verdict(TypedDict):
    """What the comparison came to, over all and for each whole run of the reference."""

    targets_are_of_whole_runs: bool
    wanted: float
    best_of_ours: float | None
    by_run: list[dict[str, object]]
    met: bool


def goals(timed: Mapping[str, object], runs: Sequence[Mapping[str, object]]) -> list[dict[str, float]]:
    """Return the AUC to reach and when the reference reaches it, for each whole run; the hardest last.

    Parameters
    ----------
    timed : mapping
        From `told`: epochs timed on this machine. It is a goal itself where there are no whole runs.
    runs : sequence of mapping
        From `told`, of whole runs.
    """
    seconds = float(str(timed["seconds_per_epoch"]))
    found = [(float(str(run["best_validation_auc"])), int(str(run["best_epoch"]))) for run in runs or [timed]]
    return [{"auc": auc, "epoch": epoch, "seconds": epoch * seconds} for auc, epoch in sorted(found)]


def verdict(timed: Mapping[str, object], mine: Mapping[str, object], runs: Sequence[Mapping[str, object]]) -> Verdict:
    """Return when our AUC first reaches that of each whole run of the reference, and how many times sooner that is.

    Parameters
    ----------
    timed : mapping
        From `told`.
    mine : mapping
        From `ours`.
    runs : sequence of mapping
        From `told`, of whole runs.
    """
    aucs, seconds = mine["validation_auc"], mine["seconds_with_looks"]
    if not (isinstance(aucs, list) and isinstance(seconds, list)):
        raise TypeError("looks are lists")
    whole = float(str(timed["seconds_100_epochs"]))
    found: list[dict[str, object]] = []
    for goal in goals(timed, runs):
        reached = next((float(s) for a, s in zip(aucs, seconds, strict=True) if a >= goal["auc"]), None)
        there: dict[str, object] = {"target": goal["auc"], "best_epoch": goal["epoch"], "reached": reached}
        if reached is not None:
            there |= {
                "times_sooner_than_its_best_epoch": goal["seconds"] / reached,
                "times_sooner_than_100_epochs": whole / reached,
            }
        found.append(there | {"met": reached is not None and whole / reached >= LEAST})
    return {
        "targets_are_of_whole_runs": bool(runs),
        "wanted": LEAST,
        "best_of_ours": max(aucs, default=None),
        "by_run": found,
        "met": all(f["met"] for f in found),
    }


def main() -> None:
    """Time the reference, fit ours, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=3, help="epochs of the reference to time")
    parser.add_argument("--full", action="store_true", help="all 100 epochs, resumable")
    parser.add_argument("--target-only", action="store_true", help="whole runs for the AUC to reach; nothing is timed")
    parser.add_argument("--minutes", type=float, default=10.0, help="budget of our plan")
    parser.add_argument("--members", type=int, default=machine().cores)
    parser.add_argument("--every", type=int, default=10, help="our steps between looks")
    parser.add_argument("--seconds", type=float, default=600.0, help="end ours after that many")
    parser.add_argument("--member", type=int, default=None, help="as a child: fit this member")
    parser.add_argument("--name", default=NAME)
    wanted = parser.parse_args()
    shared = {"minutes": wanted.minutes, "every": wanted.every, "seconds": wanted.seconds}
    if wanted.member is not None:
        look(**shared, member=wanted.member, path=WORK / f"looks-{wanted.member}.npz")
        return
    if not source().exists():
        print("skipped, the data are not on this machine")
        return
    settle_threads(machine().cores)
    torch.use_deterministic_algorithms(mode=False)  # the reference does not ask for it
    if wanted.target_only:
        write_result(TARGET, {**provenance("python -m benchmarks.speed.reference --target-only"), "runs": whole_runs()})
        return
    there = read_result(wanted.name)
    known = there.get("reference") if there else None
    if wanted.full or not (isinstance(known, dict) and known.get("complete")):
        parts = images(source())
        parts = Images(**{k: v.to(device()) for k, v in vars(parts).items()})
        kept = WORK / "reference.pt" if wanted.full else None
        known = told(reference(parts, epochs=EPOCHS if wanted.full else wanted.epochs, kept=kept))
    whole = (read_result(TARGET) or {}).get("runs")
    runs = [known] if known["complete"] else whole if isinstance(whole, list) else []
    mine = ours(**shared, members=wanted.members)
    found = verdict(known, mine, runs)
    print(json.dumps(found, indent=1))
    command = f"python -m benchmarks.speed.reference{' --full' if wanted.full else f' --epochs {wanted.epochs}'}"
    protocol = {"epochs": EPOCHS, "batch": BATCH, "rate": RATE, "milestones": list(MILESTONES), "precision": "float32"}
    write_result(
        wanted.name,
        {**provenance(command), "protocol": protocol, "reference": known, "ours": mine, "verdict": found},
    )


if __name__ == "__main__":
    main()
