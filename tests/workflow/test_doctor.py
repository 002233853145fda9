import getpass
import json
import platform
from pathlib import Path

from hounsfield.workflow.doctor import OPTIONAL, PACKAGES, doctor, features, problems
from hounsfield.workflow.machine import Processor


def test_diagnosis_is_complete_and_private() -> None:
    found = doctor()
    assert set(found.packages) == {*PACKAGES, *OPTIONAL}
    assert found.packages["torch"] != "missing"
    assert found.python.endswith(platform.python_version())
    assert found.usable_cores <= found.logical_cores
    text = found.model_dump_json()
    assert json.loads(text)["schema_version"] == 1
    assert str(Path.home()) not in text
    assert str(Path.cwd()) not in text
    if len(platform.node()) > 3:
        assert platform.node() not in text
    if getpass.getuser() not in ("root",):
        assert getpass.getuser() not in text


def test_features() -> None:
    found = features(Processor("x", frozenset({"avx2", "avx512f", "amx_tile", "amx_bf16"})))
    assert found["AVX2"] is True
    assert found["AMX BF16"] is True
    assert found["AVX-512 BF16"] is False
    assert set(features(Processor("x", None)).values()) == {None}


def test_problems_say_what_to_do() -> None:
    assert problems({"torch": "2.13.0"}, 16.0) == ()
    found = problems({"torch": "missing"}, 2.0)
    assert "pip install torch" in found[0]
    assert "2 GiB" in found[1]
