"""What every test gets: one thread, no network, short measurements, and the folder of real data where there is one."""

import gc
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

# Read when numerical libraries are first imported, which is after this file.
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")
os.environ.setdefault("MPLBACKEND", "Agg")

ROOT = Path(__file__).resolve().parents[1]
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
LONG = (
    "workflow", "journeys", "regression", "contracts", "benchmarks", "learn", "science/radiomics", "stages/auditing",
    "data_room/pacs", "data_room/dicom/answers", "data_room/volume", "cli",
)  # fmt: skip
"""Folders that train, start processes or read large data: they come first, so that no worker ends long after others."""


def pytest_configure(config: pytest.Config) -> None:
    """Let workers take files in the order below; xdist would begin with those of many tests, which take less."""
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the folders of `LONG`; within each, and after them, the order stays."""

    def place(item: pytest.Item) -> int:
        folder = item.path.parent.relative_to(ROOT / "tests").as_posix()
        return next((n for n, name in enumerate(LONG) if f"{folder}/".startswith(f"{name}/")), len(LONG))

    items.sort(key=place)


def pytest_collection_finish() -> None:
    """Leave the modules of all tests out of what is looked through for garbage; a run asks for that several times."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real public data sets; a test that asks for it is skipped where there is none."""
    folder = Path(os.environ.get("HOUNSFIELD_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("no real data here: set HOUNSFIELD_DATA to the folder of data sets")
    return folder


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Give torch one thread, where it is loaded, whatever an earlier test chose."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.get_num_threads() != 1:
        torch.set_num_threads(1)


@pytest.fixture(autouse=True, scope="session")
def short_measurements() -> Iterator[None]:
    """Time as few steps as a plan may rest on, since no test keeps a budget, and guess shortcuts with a small forest.

    The forest of a user's size is tested in ``stages/auditing``.
    """
    with pytest.MonkeyPatch.context() as patched:
        if "hounsfield.workflow.planning" in sys.modules:  # tests that plan nothing do not load it
            patched.setattr("hounsfield.workflow.planning.PROBE_SECONDS", 0.0)
            patched.setattr("hounsfield.stages.auditing.guessing.TREES", 10)
        yield


@pytest.fixture(autouse=True, scope="session")
def no_network() -> Iterator[None]:
    """Let sockets reach this machine only."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def refuse(target: object) -> NoReturn:
        raise AssertionError(f"a test tried to reach the network: {target!r}")

    def local(target: object) -> bool:
        host = target[0] if isinstance(target, tuple) else None
        return host is None or host in _LOOPBACK

    def guarded_connect(self: socket.socket, target: tuple[str, int] | str) -> None:
        if not local(target):
            refuse(target)
        connect(self, target)

    def guarded_connect_ex(self: socket.socket, target: tuple[str, int] | str) -> int:
        if not local(target):
            refuse(target)
        return connect_ex(self, target)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded_connect)
        patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
        yield
