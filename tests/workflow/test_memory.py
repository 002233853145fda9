"""Freed memory is given back where the C library can."""

import ctypes

import pytest

from hounsfield.workflow.memory import give_back


@pytest.mark.parametrize("error", [AttributeError, TypeError, OSError])
def test_nothing_happens_without_glibc(monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
    def absent(_name: object) -> object:
        raise error

    monkeypatch.setattr(ctypes, "CDLL", absent)
    give_back()


def test_it_can_be_called_at_any_time() -> None:
    held = [bytes(1000) for _ in range(1000)]
    give_back()
    assert len(held) == 1000
