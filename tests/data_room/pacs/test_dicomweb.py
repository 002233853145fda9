"""DICOMweb against a small service of the standard library: what comes, and every way in which it does not."""

import base64
import dataclasses
import json
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hounsfield.core.errors import ArchiveError, InputError
from hounsfield.core.progress import Silent
from hounsfield.data.pacs.archive import LIMITS, ArchiveLimits, InstanceFound
from hounsfield.data.pacs.dicomweb import PAGE, WebArchive
from hounsfield.data.pacs.outgoing import files_below, outgoing
from hounsfield.data.pacs.pace import Pace
from hounsfield.data.pacs.target import WebTarget
from hounsfield.data.pacs.web_session import TRIES, WebAccess, WebSession
from hounsfield.workflow.archives import Access, reached
from hounsfield.workflow.pulling import pull
from hounsfield.workflow.pushing import push
from tests.data_room.pacs.making import place_of, pulled, write_studies
from tests.data_room.pacs.web_server import Answering, Asked, Reply, Service, matches, one_file, serving, told

QUICK = dataclasses.replace(LIMITS, connect_seconds=2.0, answer_seconds=2.0, whole_seconds=5.0)
STUDY = "1.2.3"


def _archive(service: Service, *, limits: ArchiveLimits = QUICK, rests: list[float] | None = None) -> WebArchive:
    pace = Pace(None, clock=time.monotonic, sleep=(rests if rests is not None else []).append)
    session = WebSession(WebTarget(service.url), WebAccess(), limits=limits, pace=pace)
    return WebArchive(session, limits=limits, pace=pace)


def _holding(files: dict[str, bytes]) -> Answering:
    """Answer as an archive with one study and series."""
    place = place_of(files)
    study, series = place.study_uid, place.series_uid

    def answer(asked: Asked) -> Reply:
        end = asked.path.removeprefix("/rs")
        if asked.verb == "POST":
            return Reply(body=b"{}")
        if end == "/studies":
            return matches(told(_0020000D=study))
        if end == f"/studies/{study}/series":
            return matches(told(_0020000E=series, _00080060="CT"))
        if end == f"/studies/{study}/series/{series}/instances":
            return matches(*(told(_00080018=uid) for uid in files))
        content = files.get(end.rsplit("/", 1)[1])
        return Reply(status=404) if content is None else one_file(content)

    return answer


def test_bytes_come_as_they_were_sent(tmp_path: Path) -> None:
    files = write_studies(tmp_path / "made", studies=1, series=1, slices=3)
    with serving(_holding(files)) as service:
        done = pull(service.url, tmp_path / "out", query="PatientID=A* Modality=CT")
        assert (done.studies, done.series, done.moved, done.failed) == (1, 1, 3, ())
        assert sorted(pulled(tmp_path / "out")) == sorted(files.values())
        before = len(service.asked)
        again = pull(service.url, tmp_path / "out", query="PatientID=A*")
        assert (again.moved, again.present) == (0, 3)
        assert len(service.asked) == before + 3
    first = service.asked[0]
    assert first.params["00100020"] == ["A*"]
    assert first.params["00080061"] == ["CT"]
    assert "transfer-syntax=*" in service.asked[3].headers["Accept"]


def test_files_go_as_they_are(tmp_path: Path) -> None:
    files = write_studies(tmp_path / "made", studies=1, series=1, slices=2)
    with serving(lambda asked: Reply(body=b"{}") if asked.verb == "POST" else Reply(status=204, body=b"")) as service:
        done = push(tmp_path / "made", service.url)
    assert (done.moved, done.failed) == (2, ())
    bodies = [a.body for a in service.asked if a.verb == "POST"]
    assert len(bodies) == 2
    assert all(any(content in body for body in bodies) for content in files.values())


def test_credentials_are_sent_there_and_nowhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "secret"
    secret.write_text("pässword\n", encoding="utf-8")
    with serving(lambda _: Reply(status=302, headers={"Location": "http://127.0.0.1:1/"})) as service:
        with pytest.raises(ArchiveError, match="sends us elsewhere"):
            pull(service.url, tmp_path / "out", query="PatientID=*", access=Access(user="müller", password_file=secret))
        monkeypatch.setenv("HOUNSFIELD_TOKEN", "abc")
        with pytest.raises(ArchiveError):
            pull(service.url, tmp_path / "out", query="PatientID=*")
        monkeypatch.setenv("HOUNSFIELD_PASSWORD", "other")
        with pytest.raises(ArchiveError):
            pull(service.url, tmp_path / "out", query="PatientID=*", access=Access(user="u"))
    sent = [a.headers["Authorization"] for a in service.asked]
    basic = base64.b64encode("müller:pässword".encode()).decode()
    assert sent == [f"Basic {basic}", "Bearer abc", "Basic " + base64.b64encode(b"u:other").decode()]
    assert "pässword" not in repr(WebAccess("u", "pässword"))


def test_a_password_in_the_clear_is_warned_of() -> None:
    class Heard(Silent):
        lines: list[str]

        def say(self, text: str) -> None:
            self.lines.append(text)

    heard = Heard()
    heard.lines = []
    for url in ("http://pacs.example/rs", "https://pacs.example/rs", "http://127.0.0.1:1/rs"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HOUNSFIELD_PASSWORD", "x")
            with reached(url, Access(user="u"), heard):
                pass
    assert len(heard.lines) == 1
    assert "unencrypted" in heard.lines[0]


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(status=401), "does not let us in"),
        (Reply(status=403), "does not let us in"),
        (Reply(status=404), "/dicom-web"),
        (Reply(status=500), "HTTP 500"),
        (Reply(kind="text/html", body=b"<html>"), "cannot be understood"),
        (Reply(body=b"[1, 2]"), "cannot be understood"),
        (Reply(body=b"[" * 100_000), "cannot be understood"),
        (Reply(body=b"\xff\xfe\x00"), "cannot be understood"),
    ],
)
def test_answers_that_are_none(reply: Reply, said: str) -> None:
    with serving(lambda _: reply) as service, pytest.raises(ArchiveError, match=said) as raised:
        _archive(service).studies({"PatientID": "SECRET1"})
    assert raised.value.next_step
    assert "SECRET1" not in raised.value.message()


def test_values_of_other_types_are_passed_over() -> None:
    strange: list[dict[str, object]] = [
        {"0020000D": {"Value": "1.2"}},
        {"0020000D": {"Value": [None]}},
        {"0020000D": "1.2"},
        {"0020000D": {"Value": [["1.2"]]}},
        told(_0020000D="../../etc"),
        told(_0020000D=STUDY),
    ]
    with serving(lambda _: matches(*strange)) as service:
        assert _archive(service).studies({}) == (STUDY,)


def test_pages_are_asked_for_until_nothing_new_comes() -> None:
    uids = [f"1.2.{n}" for n in range(2 * PAGE + 10)]

    def paged(asked: Asked) -> Reply:
        begin = int(asked.params["offset"][0])
        return matches(*(told(_0020000D=u) for u in uids[begin : begin + PAGE]))

    with serving(paged) as service:
        assert _archive(service).studies({}) == tuple(uids)
        assert len(service.asked) == 3
    everything = matches(*(told(_0020000D=u) for u in uids))
    with serving(lambda _: everything) as service:  # a server that ignores limit and offset
        assert _archive(service).studies({}) == tuple(uids)
        assert len(service.asked) == 2


def test_a_server_without_end_is_left() -> None:
    def endless(asked: Asked) -> Reply:
        begin = int(asked.params["offset"][0])
        return matches(*(told(_0020000D=f"1.2.{n}") for n in range(begin, begin + PAGE)))

    limits = dataclasses.replace(QUICK, matches=3 * PAGE)
    with serving(endless) as service, pytest.raises(ArchiveError, match="More than 1500"):
        _archive(service, limits=limits).studies({})


def test_answers_are_bounded() -> None:
    with serving(lambda _: Reply(body=b" " * 3_000_000)) as service, pytest.raises(ArchiveError, match="larger than"):
        _archive(service, limits=dataclasses.replace(QUICK, answer_bytes=1 << 20)).studies({})


def test_a_busy_archive_is_asked_again_and_not_for_ever() -> None:
    rests: list[float] = []
    left = [2]

    def busy(asked: Asked) -> Reply:
        left[0] -= 1
        return matches(told(_0020000D=STUDY)) if left[0] < 0 else Reply(status=503, headers={"Retry-After": "7"})

    with serving(busy) as service:
        assert _archive(service, rests=rests).studies({}) == (STUDY,)
        assert rests == [7.0, 7.0]
    rests.clear()
    with serving(lambda _: Reply(status=503)) as service:
        with pytest.raises(ArchiveError, match="HTTP 503"):
            _archive(service, rests=rests).studies({})
        assert len(service.asked) == TRIES
    assert rests == [1.0, 2.0, 4.0]


def test_no_host_no_port_no_answer() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        with pytest.raises(ArchiveError, match="refuses the connection"):
            _archive(Service(f"http://127.0.0.1:{port}")).studies({})
        silent.listen()
        limits = dataclasses.replace(QUICK, answer_seconds=0.2)
        with pytest.raises(ArchiveError, match="did not answer in time"):
            _archive(Service(f"http://127.0.0.1:{port}"), limits=limits).studies({})
    with serving(lambda _: Reply()) as service, pytest.raises(ArchiveError, match="--tls-ca"):
        _archive(Service(service.url.replace("http", "https"))).studies({})


def _text(content: bytes) -> Reply:
    return Reply(kind="text/plain", body=content)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda content: Reply(status=404), "HTTP 404"),
        (lambda content: one_file(b"no dicom"), "DICOM file"),
        (_text, "came as text/plain"),
        (lambda content: one_file(content.replace(b"2.25.", b"2.26.")), "another instance"),
    ],
)
def test_one_bad_file_is_named_and_the_rest_comes(tmp_path: Path, change: Callable[[bytes], Reply], said: str) -> None:
    files = write_studies(tmp_path / "made", studies=1, series=1, slices=3)
    bad = list(files)[1]
    good = _holding(files)
    with serving(lambda asked: change(files[bad]) if asked.path.endswith(bad) else good(asked)) as service:
        done = pull(service.url, tmp_path / "out", query="PatientID=*")
    assert done.moved == 2
    assert said in done.failed[0].reason
    assert bad not in done.failed[0].case
    assert len(pulled(tmp_path / "out")) == 2


def test_a_file_past_the_limit_is_named_and_the_rest_comes(tmp_path: Path) -> None:
    files = write_studies(tmp_path / "made", studies=1, series=1, slices=2)
    large, small = files
    good = _holding(files)
    came: dict[str, bytes] = {}
    limits = dataclasses.replace(QUICK, instance_bytes=1 << 20)
    with serving(lambda a: one_file(b"x" * (2 << 20)) if a.path.endswith(large) else good(a)) as service:
        wanted = [InstanceFound(uid) for uid in files]
        missed = _archive(service, limits=limits).fetch(place_of(files), wanted, came.__setitem__, whole=True)
    assert [(m.sop_uid, m.reason) for m in missed] == [(large, "it is larger than 1 MiB")]
    assert came == {small: files[small]}


def test_files_that_are_not_stored_have_a_reason(tmp_path: Path) -> None:
    write_studies(tmp_path / "made", studies=1, series=1, slices=1)
    failed = {"00081198": {"Value": [{"00081197": {"Value": [43264]}}]}}
    for reply, said in (
        (Reply(status=409, body=json.dumps(failed).encode()), "43264"),
        (Reply(status=200, body=json.dumps(failed).encode()), "43264"),
        (Reply(status=415), "HTTP 415"),
        (Reply(status=400, body=b"nonsense"), "damaged"),
    ):

        def answer(asked: Asked, reply: Reply = reply) -> Reply:
            return reply if asked.verb == "POST" else Reply(status=404)

        with serving(answer) as service:
            done = push(tmp_path / "made", service.url)
        assert done.moved == 0
        assert said in done.failed[0].reason


def test_each_file_waits_for_its_turn(tmp_path: Path) -> None:
    """Turns are counted, with a clock that only sleeping moves."""
    files = write_studies(tmp_path / "made", studies=1, series=1, slices=5)
    now, slept = [0.0], [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds
        slept[0] += seconds

    pace = Pace(4.0, clock=lambda: now[0], sleep=sleep)
    with serving(_holding(files)) as service:
        session = WebSession(WebTarget(service.url), WebAccess(), limits=QUICK, pace=pace)
        archive = WebArchive(session, limits=QUICK, pace=pace)
        wanted = [InstanceFound(uid) for uid in files]
        assert archive.fetch(place_of(files), wanted, lambda *_: None, whole=True) == ()
        assert slept[0] == pytest.approx(4 / 4)
        sent = [f for p in files_below(tmp_path / "made") if (f := outgoing(p)) is not None]
        assert archive.send(sent, lambda _: None) == ()
        assert slept[0] == pytest.approx(9 / 4)
        archive.close()
        with pytest.raises(InputError, match="rate"):
            pull(service.url, tmp_path / "out", query="PatientID=*", access=Access(rate=0.0))
