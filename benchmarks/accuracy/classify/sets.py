"""The data sets, what is asked of each, and how a trained run is found again."""

from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

import hounsfield as hf
from benchmarks.record import RUNS, code, data_root
from hounsfield.core.report import Report


class DataSet(BaseModel):
    """One entry of ``sets.yaml``.

    Attributes
    ----------
    path : str
        Below the folder of data.
    minutes : float
        Total wall time, of all folds together.
    folds : int
    textbook : bool
        Whether the textbook network is trained too and compared.
    must, aim : dict of str to float
        Figures to exceed.
    faulty : list of str
        Ends of the ids of judged samples whose answer is contradicted by a twin in the training part.
    resplit : bool
        Whether random re-splits are run.
    anchors : dict of str to (float or None, float or None)
        AUC and accuracy of others.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    path: str
    minutes: float
    folds: int = 0
    textbook: bool = False
    must: dict[str, float] = {}
    aim: dict[str, float] = {}
    faulty: list[str] = []
    resplit: bool = False
    anchors: dict[str, tuple[float | None, float | None]] = {}

    @property
    def source(self) -> Path:
        """Where the data lie."""
        return data_root() / self.path


def read_sets(path: Path | None = None) -> dict[str, DataSet]:
    """Return the entries of ``sets.yaml`` by name."""
    where = path or Path(__file__).with_name("sets.yaml")
    loaded = yaml.safe_load(where.read_text(encoding="utf-8"))
    return {name: DataSet.model_validate(entry) for name, entry in loaded.items()}


def command(entry: DataSet, seed: int, *, minutes: float | None = None) -> str:
    """Return the command that a run is made by."""
    folds = f" --folds {entry.folds}" if entry.folds else ""
    given = entry.minutes if minutes is None else minutes
    return f"hu train {entry.path} --minutes {given:g}{folds} --seed {seed}"


def run_folder(name: str, *, seed: int, minutes: float | None) -> Path:
    """Return where a run lies: an unfinished one is continued by the same code only.

    Parameters
    ----------
    name : str
    seed : int
    minutes : float or None
    """
    budget = "" if minutes is None else f"-{minutes:g}min"
    return RUNS / f"{name}-seed{seed}{budget}-{code()}"


def trained(source: Path, out: Path, *, minutes: float | None, seed: int, folds: int, network: str | None) -> Report:
    """Return the report of a run, trained now or before."""
    finished = out / "report.json"
    if not (finished.exists() and not (out / ".work").exists()):
        hf.train(source, out=out, minutes=minutes, seed=seed, folds=folds, network=network)
    return Report.model_validate_json(finished.read_text(encoding="utf-8"))
