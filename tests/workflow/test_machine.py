import os
from pathlib import Path

import pytest

from hounsfield.workflow import machine as room


def test_this_machine() -> None:
    found = room.machine()
    assert 1 <= found.cores <= (os.cpu_count() or 1)
    assert found.memory_gib > 0.1
    assert found.device in ("cpu", "cuda")


@pytest.mark.parametrize(
    ("text", "model", "bfloat16"),
    [
        ("model name\t: Xeon\nflags\t\t: fpu avx2 avx512f avx512_bf16\n", "Xeon", True),
        ("model name\t: Xeon\nflags\t\t: fpu amx_bf16\n", "Xeon", True),
        ("model name\t: Old\nflags\t\t: fpu avx2\n", "Old", False),
        ("Features\t: fp asimd bf16\n", None, True),
    ],
)
def test_processor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, model: str | None, *, bfloat16: bool
) -> None:
    (tmp_path / "cpuinfo").write_text(text)
    monkeypatch.setattr(room, "_CPUINFO", tmp_path / "cpuinfo")
    found = room.processor()
    assert model is None or found.model == model
    assert found.bfloat16 is bfloat16


def test_processor_that_does_not_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_CPUINFO", tmp_path / "absent")
    found = room.processor()
    assert found.flags is None
    assert not found.bfloat16


def test_limits_of_a_container_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = tmp_path / "group" / "a"
    inner.mkdir(parents=True)
    (tmp_path / "own").write_text("0::/a\n")
    (inner / "memory.max").write_text(f"{2**30}\n")
    (inner / "cpu.max").write_text("100000 100000\n")
    monkeypatch.setattr(room, "_CGROUP", tmp_path / "group")
    monkeypatch.setattr(room, "_OWN_CGROUP", tmp_path / "own")
    assert room.memory_gib() == 1.0
    assert room.usable_cores() == 1
    (inner / "memory.max").write_text("max\n")
    (inner / "cpu.max").write_text("max 100000\n")
    assert room.memory_gib() > 0
    (inner / "cpu.max").write_text("50000 100000\n")
    assert room.usable_cores() == 1
