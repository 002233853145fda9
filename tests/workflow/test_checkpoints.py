"""Checkpoints are due by the clock and come back as they were."""

import time
from pathlib import Path

import numpy as np
import pytest

from hounsfield.workflow.checkpoints import FileStore


def test_due_by_the_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    store = FileStore(tmp_path / "a.safetensors", every_seconds=5.0)
    assert not store.due()
    now[0] = 105.0
    assert store.due()
    store.save({"x": np.arange(3)}, None)
    assert not store.due()


def test_what_was_saved_comes_back(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "a.safetensors")
    assert store.load() is None
    x = np.array([0.1, 2], np.float32)
    store.save({"x": x}, {"step": 3, "best_loss": None, "history": {"loss": [0.5]}})
    found = FileStore(tmp_path / "a.safetensors").load()
    assert found is not None
    assert found[0]["x"].tobytes() == x.tobytes()
    assert found[1] == {"step": 3, "best_loss": None, "history": {"loss": [0.5]}}
