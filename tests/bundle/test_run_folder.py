import json
import subprocess
import sys
from pathlib import Path

import pytest

from hounsfield.bundle import run_folder
from hounsfield.bundle.run_folder import RunFolder, RunState, default_run_path, find_bundle, run_state
from hounsfield.core.errors import BundleError, RunExistsError, StorageError

KEY = {"cohort": "a", "plan": "b"}


def complete(path: Path) -> None:
    with RunFolder.begin(path, key=KEY) as run:
        run.bundle.mkdir()
        (run.bundle / "manifest.json").write_text("{}")
        run.report_json.write_text("{}")
        run.finish()


def test_new_unfinished_continued_complete(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "a"
    assert run_state(path) is RunState.NEW
    with RunFolder.begin(path, key=KEY) as run:
        assert not run.continued
        (run.work / "checkpoint").write_text("x")
    assert run_state(path) is RunState.UNFINISHED
    with RunFolder.begin(path, key=KEY) as run:
        assert run.continued
        assert (run.work / "checkpoint").read_text() == "x"
        run.bundle.mkdir()
        run.report_json.write_text("{}")
        run.finish()
    assert run_state(path) is RunState.COMPLETE
    assert not run.work.exists()
    assert sorted(p.name for p in path.iterdir()) == ["bundle", "report.json"]
    with pytest.raises(RunExistsError, match="complete run"):
        RunFolder.begin(path, key=KEY)


def test_an_empty_folder_is_new(tmp_path: Path) -> None:
    with RunFolder.begin(tmp_path, key=KEY) as run:
        assert not run.continued


def test_another_key_is_refused_and_named(tmp_path: Path) -> None:
    RunFolder.begin(tmp_path, key=KEY).close()
    with pytest.raises(RunExistsError, match="differs from this one in: plan"):
        RunFolder.begin(tmp_path, key={"cohort": "a", "plan": "other"})
    with RunFolder.begin(tmp_path, key=KEY) as run:
        assert run.continued


def test_a_foreign_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").write_text("x")
    with pytest.raises(RunExistsError, match="not a run"):
        RunFolder.begin(tmp_path, key=KEY)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.docx"]
    with pytest.raises(RunExistsError):
        RunFolder.begin(tmp_path / "thesis.docx", key=KEY)


def test_a_second_begin_is_refused_while_the_first_lives(tmp_path: Path) -> None:
    with RunFolder.begin(tmp_path, key=KEY), pytest.raises(RunExistsError, match="Another process"):
        RunFolder.begin(tmp_path, key=KEY)
    RunFolder.begin(tmp_path, key=KEY).close()


def test_a_killed_process_leaves_no_lock(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, signal, sys\n"
        "from hounsfield.bundle.run_folder import RunFolder\n"
        f"run = RunFolder.begin(pathlib.Path(sys.argv[1]), key={KEY!r})\n"
        "(run.work / '.checkpoint.1-0.tmp').write_text('half')\n"
        'run.log_file.write_text(\'{"event": "cut sho\')\n'
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert ended.returncode == -9
    with RunFolder.begin(tmp_path, key=KEY) as run:
        assert run.continued
        assert sorted(p.name for p in run.work.iterdir()) == ["lock", "run.json"]
        run.log("continued", {})
        assert run.log_file.read_text().splitlines()[1] == '{"event": "continued"}'


def test_a_kill_before_the_first_record_leaves_a_new_folder(tmp_path: Path) -> None:
    (tmp_path / ".work").mkdir()
    (tmp_path / ".work" / "lock").touch()
    (tmp_path / ".work" / ".run.json.7-0.tmp").touch()
    assert run_state(tmp_path) is RunState.NEW
    with RunFolder.begin(tmp_path, key=KEY) as run:
        assert not run.continued


def test_a_kill_while_finishing_leaves_a_complete_run(tmp_path: Path) -> None:
    complete(tmp_path)
    (tmp_path / ".work.removed").mkdir()
    assert run_state(tmp_path) is RunState.COMPLETE


def test_a_run_that_another_process_finishes_meanwhile_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete(tmp_path)
    answers = iter([RunState.UNFINISHED])
    monkeypatch.setattr(run_folder, "run_state", lambda path: next(answers, None) or run_state(path))
    with pytest.raises(RunExistsError, match="complete run"):
        RunFolder.begin(tmp_path, key=KEY)
    assert run_state(tmp_path) is RunState.COMPLETE


def test_an_unreadable_record_is_refused(tmp_path: Path) -> None:
    RunFolder.begin(tmp_path, key=KEY).close()
    (tmp_path / ".work" / "run.json").write_text("[")
    with pytest.raises(RunExistsError):
        RunFolder.begin(tmp_path, key=KEY)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        RunFolder.begin(tmp_path / "file" / "run", key=KEY)


def test_log_is_one_object_per_line_with_times_where_a_clock_is_given(tmp_path: Path) -> None:
    times = iter(["10:00", "10:01"])
    with RunFolder.begin(tmp_path, key=KEY, clock=lambda: next(times)) as run:
        run.log("planned", {"steps": 100, "名": "良"})
        run.log("trained", {"loss": 0.5})
    lines = [json.loads(line) for line in run.log_file.read_text(encoding="utf-8").splitlines()]
    assert lines == [
        {"time": "10:00", "event": "planned", "steps": 100, "名": "良"},
        {"time": "10:01", "event": "trained", "loss": 0.5},
    ]


def test_a_bundle_is_found_from_the_run_or_itself(tmp_path: Path) -> None:
    complete(tmp_path / "run")
    assert find_bundle(tmp_path / "run") == tmp_path / "run" / "bundle"
    assert find_bundle(tmp_path / "run" / "bundle") == tmp_path / "run" / "bundle"


def test_what_has_no_bundle_says_why(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="does not exist"):
        find_bundle(tmp_path / "absent")
    with pytest.raises(BundleError, match="neither a run nor a bundle"):
        find_bundle(tmp_path)
    RunFolder.begin(tmp_path / "run", key=KEY).close()
    with pytest.raises(BundleError, match="not finished"):
        find_bundle(tmp_path / "run")


@pytest.mark.parametrize(("name", "stem"), [("covid-ct", "covid-ct"), ("breast.npz", "breast"), ("v1.2", "v1.2")])
def test_default_path(name: str, stem: str) -> None:
    assert default_run_path(name) == Path("runs") / stem
