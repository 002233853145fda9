import errno
import json
import math
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from hounsfield.bundle.atomic import write_bytes, write_json, write_text, write_yaml, writing
from hounsfield.bundle.yaml_text import parse_yaml
from hounsfield.core.errors import StorageError
from hounsfield.core.plan import Budget


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_all_forms_are_read_back(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a", b"\x00\xff")
    write_text(tmp_path / "b", "良性\n")
    write_json(tmp_path / "c", {"x": [1, 2.5, None, "良"]})
    write_yaml(tmp_path / "d", {"x": [1, 2]})
    write_json(tmp_path / "e", Budget(minutes=5))
    assert (tmp_path / "a").read_bytes() == b"\x00\xff"
    assert (tmp_path / "b").read_text(encoding="utf-8") == "良性\n"
    assert json.loads((tmp_path / "c").read_text(encoding="utf-8")) == {"x": [1, 2.5, None, "良"]}
    assert parse_yaml((tmp_path / "d").read_text()) == {"x": [1, 2]}
    assert Budget.model_validate_json((tmp_path / "e").read_text()) == Budget(minutes=5)
    assert names(tmp_path) == ["a", "b", "c", "d", "e"]


def test_json_has_no_nan(tmp_path: Path) -> None:
    write_json(tmp_path / "x.json", {"a": math.nan, "b": [math.inf, 1.0]})
    assert json.loads((tmp_path / "x.json").read_text()) == {"a": None, "b": [None, 1.0]}


def test_refused_flush_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_bytes(path, b"old")

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError) as caught:
        write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]
    assert "No space left" in caught.value.found
    assert caught.value.next_step
    assert str(tmp_path) not in str(caught.value)


def test_real_limit_on_file_size(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_bytes(path, b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(StorageError):
            write_bytes(path, b"n" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


def test_missing_folder_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        write_bytes(tmp_path / "absent" / "file", b"")


def test_error_in_the_block_leaves_nothing(tmp_path: Path) -> None:
    def fails() -> None:
        with writing(tmp_path / "file") as file:
            file.write(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert names(tmp_path) == []


def test_sigkill_in_the_middle_of_a_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_bytes(path, b"old")
    code = (
        "import os, pathlib, signal, sys\n"
        "from hounsfield.bundle.atomic import writing\n"
        "with writing(pathlib.Path(sys.argv[1])) as file:\n"
        "    file.write(b'n' * 100000)\n"
        "    file.flush()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert ended.returncode == -9
    assert path.read_bytes() == b"old"
