"""The side of nnU-Net: run by the Python of an environment of its own, which does not hold hounsfield.

It plans and prepares one data set, trains one fold on the processor, and writes the masks of the fold's validation
cases after half the time and at the end. The schedule ends in time; with ``--stock`` it is nnU-Net's own of 1000
epochs, left off where the time is over. Every setting but epochs, iterations and the places where weights are kept is
nnU-Net's own.
"""

import argparse
import json
import shutil
import sys
import time
import types
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

CONFIGURATION = "3d_fullres"
ITERATIONS, STOCK_ITERATIONS = 20, 250
"""Of an epoch."""
VALIDATIONS, STOCK_VALIDATIONS = 2, 50
"""Of an epoch."""
STOCK_EPOCHS = 1000
TRIAL = 4


class TimeIsOverError(Exception):
    """Raised where a stock schedule is left off."""


@dataclass(frozen=True)
class Schedule:
    """How long nnU-Net trains: epochs, and batches of one to learn from and to validate with."""

    epochs: int
    iterations: int
    validations: int


STOCK = Schedule(STOCK_EPOCHS, STOCK_ITERATIONS, STOCK_VALIDATIONS)


class Trainer(Protocol):
    """What is used of nnU-Net's trainer, and what is noted beside it."""

    output_folder: str
    steps: list[float]
    marks: list[dict[str, float]]
    spent: float
    half: float | None

    def run_training(self) -> None:
        """Train to the end."""

    def on_train_end(self) -> None:
        """Keep the weights, and end the processes that make batches."""

    def load_checkpoint(self, path: str) -> None:
        """Take weights from a file."""

    def perform_actual_validation(self) -> None:
        """Write the masks of the validation cases."""


def main() -> None:
    """Train and answer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("number", type=int, help="of the data set")
    parser.add_argument("name", help="folder of the data set")
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--stock", action="store_true", help="its own schedule, left off where the time is over")
    wanted = parser.parse_args()
    without_primus()
    prepared(wanted.number)
    seconds = wanted.minutes * 60
    if wanted.stock:
        trainer = made(wanted.name, STOCK, seconds=seconds)
    else:
        per_epoch = timed(wanted.name)
        epochs = max(2, int(seconds / per_epoch))
        print(f"{per_epoch:.1f} s per epoch of {ITERATIONS} iterations: {epochs} epochs", flush=True)
        trainer = made(wanted.name, Schedule(epochs, ITERATIONS, VALIDATIONS), seconds=seconds)
    wanted.out.mkdir(parents=True, exist_ok=True)
    try:
        trainer.run_training()
    except TimeIsOverError:
        trainer.on_train_end()
    told = {
        "epochs": len(trainer.marks),
        "iterations": len(trainer.steps),
        "seconds": trainer.spent,
        "half": trainer.half,
        "marks": trainer.marks,
    }
    (wanted.out / "times.json").write_text(json.dumps(told, indent=1), encoding="utf-8")
    for mark in ("checkpoint_half.pth", "checkpoint_final.pth"):
        trainer.load_checkpoint(str(Path(trainer.output_folder) / mark))
        began = time.monotonic()
        trainer.perform_actual_validation()
        print(f"{mark}: {time.monotonic() - began:.0f} s to predict", flush=True)
        target = wanted.out / mark.removeprefix("checkpoint_").removesuffix(".pth")
        shutil.rmtree(target, ignore_errors=True)
        shutil.move(Path(trainer.output_folder) / "validation", target)


def without_primus() -> None:
    """Stand in for the trainers that need torchvision, which has no build for this torch."""
    for name in ("torchvision", "timm", "timm.layers"):
        sys.modules.setdefault(name, types.ModuleType(name))


def prepared(number: int) -> None:
    """Fingerprint, plan and preprocess, unless that is done."""
    from nnunetv2.experiment_planning import plan_and_preprocess_api as api
    from nnunetv2.paths import nnUNet_preprocessed

    done = list(Path(str(nnUNet_preprocessed)).glob(f"Dataset{number:03d}_*/nnUNetPlans_{CONFIGURATION}"))
    if done:
        return
    api.extract_fingerprints([number], num_processes=2)
    api.plan_experiments([number])
    api.preprocess([number], configurations=(CONFIGURATION,), num_processes=(2,))


def timed(name: str) -> float:
    """Return how long an epoch of the cut schedule takes, from a short one that is thrown away."""
    trainer = made(name, Schedule(1, TRIAL, 1), seconds=0.0)
    trainer.run_training()
    kept = Path(trainer.output_folder)
    shutil.rmtree(kept, ignore_errors=True)
    step = float(trainer.steps[-1])  # the first ones warm up
    return step * (ITERATIONS + VALIDATIONS / 2)


def made(name: str, schedule: Schedule, *, seconds: float) -> "Trainer":
    """Return nnU-Net's own trainer with a schedule, the weights after half the time and all of it kept."""
    import torch
    from nnunetv2.paths import nnUNet_preprocessed
    from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

    class InTime(nnUNetTrainer):  # type: ignore[misc]
        """The stock trainer with another number of epochs; a stock schedule stops where the time is over."""

        def __init__(
            self,
            plans: dict[str, Any],
            configuration: str,
            fold: int,
            dataset_json: dict[str, Any],
            device: torch.device = torch.device("cpu"),  # noqa: B008
        ) -> None:
            super().__init__(plans, configuration, fold, dataset_json, device)
            self.num_epochs = schedule.epochs
            self.num_iterations_per_epoch = schedule.iterations
            self.num_val_iterations_per_epoch = schedule.validations
            self.steps: list[float] = []
            self.marks: list[dict[str, float]] = []
            self.half: float | None = None
            self.spent = 0.0
            self.began = 0.0

        def on_train_start(self) -> None:
            super().on_train_start()
            self.began = time.monotonic()

        def train_step(self, batch: dict[str, Any]) -> dict[str, Any]:
            began = time.monotonic()
            done = cast("Callable[..., dict[str, Any]]", super().train_step)(batch)
            self.steps.append(time.monotonic() - began)
            self.kept(stops=schedule == STOCK)
            return done

        def kept(self, *, stops: bool) -> None:
            """Keep the weights once half the time is over; a stock schedule stops where all of it is."""
            self.spent = time.monotonic() - self.began
            if self.half is None and seconds and self.spent >= seconds / 2:
                self.half = self.spent
                self.save_checkpoint(str(Path(self.output_folder) / "checkpoint_half.pth"))
            if stops and self.spent >= seconds:
                raise TimeIsOverError

        def on_epoch_end(self) -> None:
            super().on_epoch_end()
            self.spent = time.monotonic() - self.began
            dice = float(self.logger.get_value("mean_fg_dice", step=-1))
            self.marks.append({"seconds": self.spent, "pseudo_dice": dice})

    base = Path(str(nnUNet_preprocessed)) / name
    plans = json.loads((base / "nnUNetPlans.json").read_text(encoding="utf-8"))
    plans["continue_training"] = False
    described = json.loads((base / "dataset.json").read_text(encoding="utf-8"))
    return cast(Trainer, InTime(plans, CONFIGURATION, 0, described, torch.device("cpu")))


if __name__ == "__main__":
    main()
