"""`hu pull` and `hu push`: what is printed, exit codes, and what is said where packages are missing."""

import importlib.util
import json
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hounsfield.cli.app import app
from hounsfield.workflow import archives
from tests.data_room.pacs.making import place_of, write_studies
from tests.data_room.pacs.web_server import Answering, Asked, Reply, matches, one_file, serving, told

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("requests") is None or importlib.util.find_spec("pynetdicom") is None,
    reason="the packages for archives are not installed: pip install 'hounsfield[pacs]'",
)


def _answering(files: dict[str, bytes], lost: str = "") -> Answering:
    place = place_of(files)

    def answer(asked: Asked) -> Reply:
        end = asked.path.removeprefix("/rs").strip("/").split("/")
        if asked.verb == "POST":
            return Reply(body=b"{}")
        if len(end) == 1:
            return matches(told(_0020000D=place.study_uid))
        if len(end) == 3:
            return matches(told(_0020000E=place.series_uid))
        if len(end) == 5:
            return matches(*(told(_00080018=uid) for uid in files))
        return Reply(status=404) if end[-1] == lost else one_file(files[end[-1]])

    return answer


def test_pull_prints_counts_and_where_to_go_on(tmp_path: Path) -> None:
    files = write_studies(tmp_path / "made", studies=1, series=1)
    with serving(_answering(files)) as service:
        arguments = ["pull", service.url, str(tmp_path / "out"), "--query", "PatientID=PAT000"]
        found = CliRunner().invoke(app, arguments)
        assert found.exit_code == 0, found.output
        assert "1 studies, 1 series, 2 files." in found.stdout
        assert "Fetched 2 files" in found.stdout
        assert "hu inspect" in found.stdout
        again = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)
    assert (again["moved"], again["present"], again["failed"]) == (0, 2, [])


def test_what_did_not_come_is_named_by_a_hash(tmp_path: Path) -> None:
    files = write_studies(tmp_path / "made", studies=1, series=1)
    with serving(_answering(files, lost=next(iter(files)))) as service:
        found = CliRunner().invoke(app, ["pull", service.url, str(tmp_path / "out"), "--query", "PatientID=PAT000"])
    assert found.exit_code == 3
    assert "1 files were not transferred" in found.stdout
    assert "HTTP 404" in found.stdout
    shown = found.output.replace(str(tmp_path), "")
    assert not any(uid in shown for uid in files)
    assert "PAT000" not in shown


def test_push_prints_counts(tmp_path: Path) -> None:
    write_studies(tmp_path / "made", studies=1, series=1)
    with serving(lambda asked: Reply(body=b"{}" if asked.verb == "POST" else b"[]")) as service:
        found = CliRunner().invoke(app, ["push", str(tmp_path / "made"), service.url])
    assert found.exit_code == 0, found.output
    assert "Sent 2 files" in found.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["pull", "nowhere", "out", "--query", "PatientID=1"], "AET@HOST:PORT"),
        (["pull", "A@h:104", "out", "--query", ""], "The query is empty"),
        (["pull", "A@h:104", "out", "--query", "Patient=1"], "PatientID"),
        (["pull", "A@h:104", "out", "--query", "PatientID=1", "--retrieve", "fetch"], "auto, get, move"),
        (["pull", "A@h:104", "out", "--query", "PatientID=1", "--port", "70000"], "no port 70000"),
        (["pull", "https://h/rs", "out", "--query", "PatientID=1", "--user", "u"], "--password-file"),
        (["push", "nothing-here", "A@h:104"], "no file or folder"),
    ],
)
def test_wrong_arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(archives.PASSWORD, raising=False)
    found = CliRunner().invoke(app, arguments)
    assert found.exit_code == 2
    assert said in found.stderr


@pytest.mark.parametrize("target", ["https://pacs.example/rs", "PACS@pacs.example:104"])
def test_missing_packages_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    def find(name: str) -> ModuleSpec | None:
        return None if name in ("requests", "pynetdicom") else importlib.util.find_spec(name)

    monkeypatch.setattr(archives, "find_spec", find)
    found = CliRunner().invoke(app, ["pull", target, str(tmp_path / "out"), "--query", "PatientID=1"])
    assert found.exit_code == 2
    assert "pip install 'hounsfield[pacs]'" in found.stderr
