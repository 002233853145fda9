"""Runs that several journeys share: each is trained once."""

from pathlib import Path

import pytest

from hounsfield.workflow.demo import write_cohort as write_demo
from hounsfield.workflow.training import Run
from tests.journeys.making import quick, write_cohort


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
