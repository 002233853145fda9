"""An exported file says what the bundle says, with onnxruntime and NumPy alone."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import onnx
import pytest

from hounsfield.bundle.sealed import BundleContents, Member, seal
from hounsfield.core.errors import BundleError, RunExistsError, UnknownNameError
from hounsfield.core.fingerprint import Fingerprint
from hounsfield.core.plan import Plan
from hounsfield.core.protocols import Decoding
from hounsfield.core.types import Json
from hounsfield.workflow import exporting
from hounsfield.workflow.exporting import METADATA, TOLERANCE, export
from hounsfield.workflow.fitting import NETWORK, Calibrated
from tests.learn.engines.making import ensemble
from tests.learn.toys import TARGETS

SNIPPET = Path(__file__).resolve().parents[2] / "examples" / "exported.py"
DECODINGS = {
    "class": Decoding(temperature=1.7, threshold=0.3, rule="youden"),
    "labels": Decoding(temperature=0.8),
    "grade": Decoding(temperature=1.3),
    "width": Decoding(mean=5.0, std=2.0),
}


@pytest.fixture(scope="module")
def contents() -> BundleContents:
    return BundleContents(
        members=ensemble(2, views=["x"]),
        plan=Plan(
            hounsfield="0",
            cohort="toy",
            cohort_digest="0",
            task="classify",
            targets=tuple(TARGETS.values()),
            sections={},
        ),
        fingerprint=Fingerprint(samples=1, patients=1, val_samples=0, inputs={}, targets={}),
        documents={f"calibration_{NETWORK}": Calibrated(DECODINGS, {}).to_json()},
    )


@pytest.fixture(scope="module")
def bundle(contents: BundleContents, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "bundle"
    seal(folder, contents)
    return folder


@pytest.fixture(scope="module")
def file(bundle: Path) -> Path:
    path = bundle.parent / "model.onnx"
    done = export(bundle, out=path)
    assert done.largest_difference < 1e-4
    assert (done.file, done.bytes) == ("model.onnx", path.stat().st_size)
    return path


def metadata(path: Path) -> dict[str, Json]:
    model = onnx.load(str(path))
    (entry,) = [p.value for p in model.metadata_props if p.key == METADATA]
    return cast("dict[str, Json]", json.loads(entry))


def test_the_file_says_what_its_outputs_mean(file: Path) -> None:
    said = metadata(file)
    targets = cast("list[dict[str, Json]]", said["targets"])
    assert [t["output"] for t in targets] == ["class", "labels", "grade", "width"]
    assert targets[0] == {
        "output": "class",
        "target": "class",
        "kind": "categorical",
        "classes": ["a", "b"],
        "positive": "b",
        "unit": TARGETS["categorical"].unit,
        "threshold": 0.3,
        "rule": "youden",
        "class_factors": {},
    }
    assert targets[3]["unit"] == "mm"
    assert "not a medical device" in str(said["note"])


def test_it_runs_and_tests_itself_where_torch_cannot_be_imported(file: Path) -> None:
    code = "\n".join(
        [
            "import sys",
            "for name in ('torch', 'hounsfield', 'onnx', 'scipy', 'skimage'): sys.modules[name] = None",
            f"sys.argv = ['exported.py', {str(file)!r}]",
            f"exec(compile(open({str(SNIPPET)!r}).read(), 'exported.py', 'exec'))",
            "print(sorted(n for n in sys.modules if n.split('.')[0] == 'torch' and sys.modules[n] is not None))",
        ]
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[-1] == "[]"
    assert lines[0].startswith("2 self-tests, largest difference ")
    assert float(lines[0].rsplit(" ", 1)[1]) < TOLERANCE


def test_nothing_is_overwritten_and_formats_are_known(bundle: Path, file: Path) -> None:
    before = file.read_bytes()
    with pytest.raises(RunExistsError, match=r"model\.onnx exists already"):
        export(bundle, out=file)
    assert file.read_bytes() == before
    with pytest.raises(UnknownNameError, match="onnx"):
        export(bundle, to="onxx", out=file.with_name("other.onnx"))


def test_the_file_is_named_after_the_run(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = export(bundle)
    assert [p.name for p in tmp_path.iterdir()] == [done.file] == [f"{bundle.parent.name}.onnx"]


def test_a_file_that_differs_is_not_left(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    true = exporting._answers

    def moved(contents: BundleContents, cases: object) -> object:
        return [{k: v + 0.01 for k, v in one.items()} for one in true(contents, cases)]  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr(exporting, "_answers", moved)
    with pytest.raises(BundleError, match=r"differs from the bundle by 0\.01"):
        export(bundle, out=tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_member_that_cannot_leave_is_named(contents: BundleContents, tmp_path: Path) -> None:
    first = contents.members[0]
    odd = Member(
        "prevalence",
        {t.name: np.array([0.5, 0.5, 0.5][: max(len(t.classes), 1)]) for t in TARGETS.values()},
        first.json,
    )
    seal(tmp_path / "bundle", replace(contents, members=(first, odd)))
    with pytest.raises(BundleError, match="'prevalence', runs in Python only"):
        export(tmp_path / "bundle", out=tmp_path / "model.onnx")
