"""The data sets with masks, and what is asked of each."""

from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

from benchmarks.record import RUNS, code, data_root


class MaskSet(BaseModel):
    """One entry of ``sets.yaml``.

    Attributes
    ----------
    path : str
        Below the folder of data.
    minutes : float
        Total wall time, of all folds together.
    folds : int
    must, aim : dict of str to float
        Figures to exceed.
    must_rank : bool
        Whether the expected Dice must rank cases better than 0.5, and better than their marked size alone.
    note : str
        How figures are to be read.
    anchors : dict of str to float
        What others reached.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    path: str
    minutes: float
    folds: int = 0
    must: dict[str, float] = {}
    aim: dict[str, float] = {}
    must_rank: bool = False
    note: str = ""
    anchors: dict[str, float] = {}

    @property
    def source(self) -> Path:
        """Where the data lie."""
        return data_root() / self.path


def read_sets(path: Path | None = None) -> dict[str, MaskSet]:
    """Return the entries of ``sets.yaml`` by name."""
    where = path or Path(__file__).with_name("sets.yaml")
    loaded = yaml.safe_load(where.read_text(encoding="utf-8"))
    return {name: MaskSet.model_validate(entry) for name, entry in loaded.items()}


def command(entry: MaskSet, seed: int) -> str:
    """Return the command that a run is made by."""
    folds = f" --folds {entry.folds}" if entry.folds else ""
    return f"hu train {entry.path} --task annotate --minutes {entry.minutes:g}{folds} --seed {seed}"


def run_folder(name: str, entry: MaskSet, seed: int) -> Path:
    """Return where a run lies: an unfinished one is continued by the same code only."""
    return RUNS / f"annotate-{name}-seed{seed}-{entry.minutes:g}min-{code()}"
