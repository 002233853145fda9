import errno
import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hounsfield.bundle.sealed import BundleContents, Member, bundle_digest, open_sealed, seal
from hounsfield.core.errors import BundleError, RunExistsError, StorageError
from hounsfield.core.fingerprint import Fingerprint
from hounsfield.core.plan import Plan


@pytest.fixture
def contents(plan: Plan, fingerprint: Fingerprint) -> BundleContents:
    """A bundle with one of everything."""
    return BundleContents(
        members=(
            Member("network", {"w": np.arange(6, dtype=np.float32).reshape(2, 3)}, {"width": 8}),
            Member("network", {"w": np.ones((2, 3), dtype=np.float32)}, {"width": 8}),
        ),
        plan=plan,
        fingerprint=fingerprint,
        documents={"calibration": {"temperature": 1 / 3}, "operating_point": {"threshold": 0.5, "名": "良"}},
        arrays={"self_test": {"input": np.zeros((1, 1, 4, 4), dtype=np.uint8)}},
        baselines={"prevalence": Member("prevalence", {}, {"p": [0.25, 0.75]})},
        card="# A model\n\nResearch software.\n",
    )


def files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.is_file())


def test_what_was_sealed_is_opened(tmp_path: Path, contents: BundleContents) -> None:
    seal(tmp_path / "bundle", contents)
    found = open_sealed(tmp_path / "bundle")
    assert found.plan == contents.plan
    assert found.fingerprint == contents.fingerprint
    assert found.documents == contents.documents
    assert found.card == contents.card
    assert [m.learner for m in found.members] == ["network", "network"]
    assert [m.json for m in found.members] == [{"width": 8}, {"width": 8}]
    np.testing.assert_array_equal(found.members[0].arrays["w"], contents.members[0].arrays["w"])
    np.testing.assert_array_equal(found.arrays["self_test"]["input"], 0)
    assert found.baselines["prevalence"].json == {"p": [0.25, 0.75]}
    assert {p.suffix for p in files(tmp_path)} == {".safetensors", ".json", ".yaml", ".md"}
    assert [p.name for p in tmp_path.iterdir()] == ["bundle"]


def test_same_content_same_bytes(tmp_path: Path, contents: BundleContents) -> None:
    for name in ("a", "b"):
        seal(tmp_path / name, contents)
    for a, b in zip(files(tmp_path / "a"), files(tmp_path / "b"), strict=True):
        assert a.read_bytes() == b.read_bytes()
    assert bundle_digest(tmp_path / "a") == bundle_digest(tmp_path / "b")


def test_a_flipped_byte_anywhere_is_found_and_the_file_named(tmp_path: Path, contents: BundleContents) -> None:
    folder = tmp_path / "bundle"
    seal(folder, contents)
    for path in files(folder):
        data = path.read_bytes()
        name = path.relative_to(folder).as_posix()
        step = max(1, len(data) // (150 if name == "manifest.json" else 20))
        for place in range(0, len(data), step):
            path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
            with pytest.raises(BundleError) as caught:
                open_sealed(folder)
            assert name in caught.value.found or "newer" in caught.value.found
        path.write_bytes(data)
    open_sealed(folder)


def test_other_white_space_in_the_manifest_is_found(tmp_path: Path, contents: BundleContents) -> None:
    seal(tmp_path / "bundle", contents)
    manifest = tmp_path / "bundle" / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text())))
    with pytest.raises(BundleError, match=r"manifest\.json is damaged"):
        open_sealed(tmp_path / "bundle")


def test_a_future_version_says_update(tmp_path: Path, contents: BundleContents) -> None:
    seal(tmp_path / "bundle", contents)
    manifest = tmp_path / "bundle" / "manifest.json"
    manifest.write_text(json.dumps({"schema_version": 2, "unknown": []}))
    with pytest.raises(BundleError, match="written by a newer Hounsfield") as caught:
        open_sealed(tmp_path / "bundle")
    assert "update" in caught.value.next_step


def test_missing_and_extra_files_are_named(tmp_path: Path, contents: BundleContents) -> None:
    folder = tmp_path / "bundle"
    seal(folder, contents)
    (folder / "run.py").write_text("print()")
    with pytest.raises(BundleError, match=r"has the file run\.py"):
        open_sealed(folder)
    (folder / "run.py").unlink()
    (folder / "card.md").unlink()
    with pytest.raises(BundleError, match=r"lacks card\.md"):
        open_sealed(folder)
    with pytest.raises(BundleError, match="not a bundle"):
        open_sealed(tmp_path)


def test_links_are_refused(tmp_path: Path, contents: BundleContents) -> None:
    folder = tmp_path / "bundle"
    seal(folder, contents)
    (folder / "card.md").rename(tmp_path / "card.md")
    (folder / "card.md").symlink_to(tmp_path / "card.md")
    with pytest.raises(BundleError, match=r"card\.md of the bundle is a link"):
        open_sealed(folder)


@pytest.mark.parametrize("name", ["../outside.json", "/etc/hosts.json", "a/../../x.json", "x.pkl"])
def test_paths_outside_are_refused(tmp_path: Path, contents: BundleContents, name: str) -> None:
    folder = tmp_path / "bundle"
    seal(folder, contents)
    (tmp_path / "outside.json").write_text("{}")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"][name] = {"sha256": hashlib.sha256(b"{}").hexdigest(), "bytes": 2}
    bare = {key: value for key, value in manifest.items() if key != "digest"}
    manifest["digest"] = hashlib.sha256(json.dumps(bare, sort_keys=True).encode()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    with pytest.raises(BundleError, match="damaged"):
        open_sealed(folder)


def test_a_second_seal_is_idle_or_refused(tmp_path: Path, contents: BundleContents) -> None:
    folder = tmp_path / "bundle"
    seal(folder, contents)
    seal(folder, contents)
    with pytest.raises(RunExistsError):
        seal(folder, replace(contents, card="another"))
    assert open_sealed(folder).card == contents.card


def test_disk_full_leaves_nothing(tmp_path: Path, contents: BundleContents, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.fsync
    calls = []

    def full(handle: int) -> None:
        calls.append(handle)
        if len(calls) > 8:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="No space left"):
        seal(tmp_path / "bundle", contents)
    assert list(tmp_path.iterdir()) == []


def test_what_json_or_a_file_name_cannot_hold_is_refused(tmp_path: Path, contents: BundleContents) -> None:
    with pytest.raises(ValueError, match="calibration"):
        seal(tmp_path / "a", replace(contents, documents={"calibration": {"t": float("nan")}}))
    with pytest.raises(ValueError, match="cannot be a name"):
        seal(tmp_path / "a", replace(contents, documents={"../x": {}}))
    assert list(tmp_path.iterdir()) == []


def test_a_copy_opens(tmp_path: Path, contents: BundleContents) -> None:
    seal(tmp_path / "bundle", contents)
    shutil.copytree(tmp_path / "bundle", tmp_path / "elsewhere")
    assert open_sealed(tmp_path / "elsewhere").card == contents.card


def test_no_torch_is_needed() -> None:
    code = "import hounsfield.bundle.sealed, hounsfield.bundle.run_folder, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
