"""What every test gets: one thread, no network, and the folder of real data where there is one."""

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
