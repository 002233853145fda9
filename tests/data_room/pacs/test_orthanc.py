"""Pull and push with a real Orthanc, which runs in a network namespace of its own."""

from collections.abc import Mapping
from typing import cast

import pytest

from tests.data_room.pacs.namespace import Found, lacking, travelled

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Found]:
    """What happened in the namespace, journey by journey."""
    reason = lacking()
    if reason:
        pytest.skip(reason)
    return travelled(tmp_path_factory.mktemp("orthanc"))


def _transfer(found: object, **wanted: object) -> None:
    assert isinstance(found, dict)
    assert {name: found[name] for name in wanted} == wanted


@pytest.mark.parametrize("way", ["dicomweb", "dimse"])
def test_what_is_pushed_is_there_once(seen: Mapping[str, Found], way: str) -> None:
    found = seen["both protocols"]
    _transfer(found[f"push {way}"], studies=2, series=4, instances=8, moved=8, present=0, failed=[])
    _transfer(found[f"push {way} again"], moved=0, present=8, failed=[], bytes=0)
    assert found[f"there after {way}"] == 8


@pytest.mark.parametrize("way", ["dicomweb", "get", "move"])
def test_what_is_pulled_is_what_was_pushed(seen: Mapping[str, Found], way: str) -> None:
    found = seen["both protocols"]
    _transfer(found[f"pull {way}"], studies=2, series=4, instances=8, moved=8, present=0, failed=[])
    assert found[f"same data sets {way}"] is True
    assert found[f"names {way}"] is True
    _transfer(found[f"pull {way} again"], moved=1, present=7, failed=[])
    assert found[f"complete {way}"] is True


def test_files_pass_dicomweb_byte_for_byte(seen: Mapping[str, Found]) -> None:
    assert seen["both protocols"]["same files dicomweb"] is True


@pytest.mark.parametrize("way", ["dicomweb", "get", "move"])
def test_queries_choose(seen: Mapping[str, Found], way: str) -> None:
    found = seen["queries"]
    assert found[f"{way} date"] == [1, 2, 4]
    assert found[f"{way} accession"] == [1, 2, 4]
    assert found[f"{way} series"] == [2, 2, 4]
    assert found[f"{way} wildcard"] == [2, 4, 8]
    assert "no series that matches" in str(found[f"{way} none"])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("no user", "--password-file"),
        ("wrong password", "HTTP 401"),
        ("wrong path", "/dicom-web"),
        ("no such port", "refuses the connection"),
        ("no such aet", "AE title NOBODY"),
        ("caller unknown", "DicomModalities"),
        ("no such dicom port", "was refused"),
        ("not dicom", "without an association"),
        ("destination unknown", "DicomModalities"),
        ("wrong own port", "port 11999"),
    ],
)
def test_refusals_say_what_to_do(seen: Mapping[str, Found], wrong: str, said: str) -> None:
    message = str(seen["refusals"][wrong])
    assert said in message
    assert "Next: " in message
    assert seen["refusals"]["files"] == 0


def test_the_demo_goes_there_and_back(seen: Mapping[str, Found]) -> None:
    # 20 patients of 2 slices and three traps, one of which is a damaged file that Orthanc does not take
    found = seen["demo"]
    assert found["files"] == 43
    assert found["moved"] == [42, 42]
    assert found["pixels"] == 42
    assert found["failed"] == ["the archive answered HTTP 400: is the file damaged?"]


def test_a_push_that_was_killed_goes_on(seen: Mapping[str, Found]) -> None:
    assert seen["interrupted"]["push"] == [True, 32, True, 32]


@pytest.mark.parametrize(
    ("way", "how", "code"),
    [("dicomweb", "SIGKILL", -9), ("get", "SIGKILL", -9), ("get", "SIGINT", 130), ("move", "SIGINT", 130)],
)
def test_a_pull_that_was_stopped_goes_on(seen: Mapping[str, Found], way: str, how: str, code: int) -> None:
    found = seen["interrupted"][f"{way} {how}"]
    assert found == {
        "code": code,
        "said": how == "SIGINT",
        "partly": True,
        "whole": True,
        "rest": [32, True],
        "left over": [],
    }


def test_encodings_come_back_as_they_were(seen: Mapping[str, Found]) -> None:
    found = seen["compressed"]
    if not found:
        pytest.skip("the DICOM corpus is not in the folder that HOUNSFIELD_DATA names")
    push = cast("dict[str, object]", found["push"])
    reasons = [cast("dict[str, str]", f)["reason"] for f in cast("list[object]", push["failed"])]
    assert push["moved"] == found["there"]
    assert cast("int", push["moved"]) >= 37
    assert any("odd length" in r for r in reasons)
    assert any("encoding" in r for r in reasons)
    assert not any("broke" in r for r in reasons)
    for way in ("dicomweb", "get", "move"):
        assert cast("dict[str, object]", found[f"pull {way}"])["failed"] == []
        assert found[f"same pixels {way}"] is True
