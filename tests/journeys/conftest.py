"""Runs that several journeys share: each is trained once."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hounsfield.workflow.demo import write_cohort as write_demo
from hounsfield.workflow.stepping import most_steps
from hounsfield.workflow.training import Run
from tests.journeys.making import quick, write_cohort

MOST_STEPS = 60


@pytest.fixture
def few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no minutes hold more than `MOST_STEPS` steps of each network; all else that a run of minutes does is done."""

    def few(seconds: Callable[[int], float], left: float) -> int:
        return min(MOST_STEPS, most_steps(seconds, left))

    monkeypatch.setattr("hounsfield.workflow.planning.most_steps", few)


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "cohort"
    write_demo(folder, patients=20, slices=2, size=64, seed=0)
    return folder


@pytest.fixture(scope="session")
def demo_run(demo_folder: Path) -> Run:
    """All four kinds of targets, three planted traps, official parts."""
    return quick(demo_folder, demo_folder.parent / "run")


@pytest.fixture(scope="session")
def plain_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plain") / "cohort"
    write_cohort(folder, n=36, parts=True)
    return folder


@pytest.fixture(scope="session")
def plain_run(plain_folder: Path) -> Run:
    """Two classes, official parts with 12 test samples."""
    return quick(plain_folder, plain_folder.parent / "run")
