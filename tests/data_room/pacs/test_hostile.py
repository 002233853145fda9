"""Archives that lie, stall, trickle, flood, break off or send something else: bounded, named, never a hang."""

import dataclasses
import gzip
import io
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import pydicom
import pytest
from pynetdicom.events import Event

from hounsfield.core.errors import ArchiveError, ReadError
from hounsfield.data.pacs.archive import LIMITS, SeriesFound
from hounsfield.data.pacs.asked_for import check_asked_for, contradicts
from hounsfield.data.pacs.association import Caller
from hounsfield.data.pacs.dicomweb import WebArchive
from hounsfield.data.pacs.dimse import DimseArchive
from hounsfield.data.pacs.outgoing import outgoing
from hounsfield.data.pacs.pace import Pace
from hounsfield.data.pacs.target import DimseTarget, WebTarget
from hounsfield.data.pacs.web_session import TRIES, WebAccess, WebSession
from hounsfield.workflow.archives import Access
from hounsfield.workflow.pulling import pull
from tests.data_room.pacs import entity as dicom
from tests.data_room.pacs.making import place_of, pulled, write_studies
from tests.data_room.pacs.web_server import Asked, Reply, matches, one_file, told
from tests.data_room.pacs.web_server import serving as serving_web

QUICK = dataclasses.replace(LIMITS, connect_seconds=2.0, answer_seconds=0.6, whole_seconds=1.0, instance_bytes=1 << 20)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/dicom+json\r\n"
Wire = socket.socket


LONG_SECONDS = 60.0
"""How long a hostile peer goes on where nobody leaves it: far longer than `QUICK` and any busy machine."""


@dataclasses.dataclass
class Raw:
    """A server of raw bytes: where it is, what it was asked, and whether somebody hung up while it was sending."""

    url: str
    asked: list[bytes] = dataclasses.field(default_factory=list)
    left: threading.Event = dataclasses.field(default_factory=threading.Event)


@contextmanager
def raw_server(handle: Callable[[Wire], None]) -> Iterator[Raw]:
    """Serve whatever bytes `handle` sends, once per connection, after a request was read."""

    def one(wire: Wire) -> None:
        with wire:
            try:
                raw.asked.append(wire.recv(1 << 16))
                handle(wire)
            except OSError:
                raw.left.set()

    def loop(server: Wire) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=one, args=(server.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        raw = Raw(f"http://127.0.0.1:{server.getsockname()[1]}/rs")
        threading.Thread(target=loop, args=(server,), daemon=True).start()
        yield raw
        server.shutdown(socket.SHUT_RDWR)


def _web(url: str) -> WebArchive:
    pace = Pace(None, clock=time.monotonic, sleep=lambda _: None)
    return WebArchive(WebSession(WebTarget(url), WebAccess(), limits=QUICK, pace=pace), limits=QUICK, pace=pace)


def _again(wire: Wire, piece: bytes, seconds: float) -> None:
    while True:
        wire.sendall(piece)
        time.sleep(seconds)


def _trickled_body(wire: Wire) -> None:
    wire.sendall(HEAD + b"Content-Length: 100000\r\n\r\n")
    _again(wire, b" ", 0.1)


def _trickled_head(wire: Wire) -> None:
    wire.sendall(HEAD + b"X-Long: ")
    _again(wire, b"x", 0.1)


def _continued(wire: Wire) -> None:
    _again(wire, b"HTTP/1.1 100 Continue\r\n\r\n", 0.01)


@pytest.mark.parametrize("handle", [_trickled_body, _trickled_head, _continued])
def test_an_answer_that_never_ends_is_cut(handle: Callable[[Wire], None]) -> None:
    with raw_server(handle) as raw, pytest.raises(ArchiveError, match=r"more than 1 s") as raised:
        _web(raw.url).studies({"PatientID": "SECRET"})
    assert raw.left.wait(LONG_SECONDS)
    assert len(raw.asked) == 1
    assert "SECRET" not in raised.value.message()


def _flood(wire: Wire) -> None:
    wire.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFF\r\n")
    _again(wire, b" " * 65536, 0)


def _bomb(wire: Wire) -> None:
    body = gzip.compress(gzip.compress(bytes(1 << 20)) * 2000)
    wire.sendall(HEAD + b"Content-Encoding: gzip, gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


@pytest.mark.parametrize("handle", [_flood, _bomb])
def test_an_answer_without_bounds_is_left(handle: Callable[[Wire], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.QUICK", dataclasses.replace(QUICK, answer_bytes=1 << 20, whole_seconds=20.0))
    with raw_server(handle) as raw, pytest.raises(ArchiveError, match="larger than 1 MiB"):
        _web(raw.url).studies({})


def test_a_body_that_breaks_off_is_asked_for_again() -> None:
    replies = [b"Content-Length: 100\r\n\r\n[", b"Content-Length: 2\r\n\r\n[]"]
    with raw_server(lambda wire: wire.sendall(HEAD + replies.pop(0))) as raw:
        assert _web(raw.url).studies({}) == ()
        assert len(raw.asked) == 2
    with raw_server(lambda wire: wire.sendall(HEAD + b"Content-Length: 100\r\n\r\n[")) as raw:
        with pytest.raises(ArchiveError, match="connection to the archive broke"):
            _web(raw.url).studies({})
        assert len(raw.asked) == TRIES


class Hostile(dicom.Entity):
    """Answers a search with bytes of its own, until it is over or the other side leaves."""

    def __init__(self, handle: Callable[[Wire, threading.Event], None]) -> None:
        super().__init__()
        self.handle = handle
        self.over = threading.Event()
        self.outwaited = False

    def find(self, event: Event) -> Iterator[tuple[int, pydicom.Dataset | None]]:
        """Send what it likes."""
        wire = event.assoc.dul.socket
        assert wire is not None
        assert wire.socket is not None
        with suppress(OSError):
            self.handle(wire.socket, self.over)
            self.outwaited = not self.over.is_set()
        yield 0x0000, None


def _stalled(wire: Wire, over: threading.Event) -> None:
    wire.sendall(struct.pack(">BBL", 4, 0, 1000) + b"abc")
    over.wait(LONG_SECONDS)


def _trickled(wire: Wire, over: threading.Event) -> None:
    wire.sendall(struct.pack(">BBL", 4, 0, 1000))
    for _ in range(round(LONG_SECONDS / 0.1)):
        wire.sendall(b"\0")
        if over.wait(0.1):
            break


def _lying(wire: Wire, over: threading.Event) -> None:
    wire.sendall(struct.pack(">BBL", 4, 0, 0xFFFFFFF0) + bytes(1 << 16))
    over.wait(LONG_SECONDS)


def _endless_command(wire: Wire, over: threading.Event) -> None:
    piece = bytes(16000)
    for _ in range(20_000):
        wire.sendall(struct.pack(">BBLLBB", 4, 0, len(piece) + 6, len(piece) + 2, 1, 1) + piece)
        if over.is_set():
            break


@pytest.mark.parametrize("handle", [_stalled, _trickled, _lying, _endless_command])
def test_a_message_that_never_ends_is_cut(handle: Callable[[Wire, threading.Event], None]) -> None:
    hostile = Hostile(handle)
    with dicom.serving(hostile) as served:
        archive = _dimse(served.port)
        with pytest.raises(ArchiveError, match="fell silent or broke"):
            archive.studies({"PatientID": "*"})
        archive.close()
        hostile.over.set()
    assert not hostile.outwaited


def _dimse(port: int) -> DimseArchive:
    pace = Pace(None, clock=time.monotonic, sleep=time.sleep)
    target = DimseTarget("ARCHIVE", "127.0.0.1", port)
    return DimseArchive(target, Caller(bind="127.0.0.1", port=0), limits=QUICK, pace=pace, retrieve="get")


def test_a_peer_that_stops_reading_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The peer agrees, then reads no more: the buffers of the system fill up."""
    write_studies(tmp_path, studies=1, series=1, slices=1, size=2600)
    (path,) = (p for p in tmp_path.rglob("*") if p.is_file())
    file = outgoing(path)
    assert file is not None
    stop, outwaited = threading.Event(), threading.Event()

    def deaf(event: Event) -> None:
        if not stop.wait(LONG_SECONDS):
            outwaited.set()

    from pynetdicom import AE, evt

    ours = AE(ae_title="ARCHIVE")
    ours.add_supported_context(dicom.CT)
    server = ours.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_PDU_RECV, deaf)])
    assert server is not None
    monkeypatch.setattr(f"{__name__}.QUICK", dataclasses.replace(QUICK, answer_seconds=1.0))
    try:
        with suppress(ArchiveError):  # the peer may be too deaf to agree
            missed = _dimse(server.server_address[1]).send([file], lambda _: None)
            assert len(missed) == 1
        assert not outwaited.is_set()
    finally:
        stop.set()
        server.shutdown()


def _changed(content: bytes, **values: str) -> bytes:
    one = pydicom.dcmread(io.BytesIO(content))
    for keyword, value in values.items():
        setattr(one, keyword, value)
    out = io.BytesIO()
    one.save_as(out)
    return out.getvalue()


def test_a_file_is_what_its_header_says(tmp_path: Path) -> None:
    ((uid, content),) = write_studies(tmp_path, studies=1, series=1, slices=1).items()
    place = place_of({uid: content})
    check_asked_for(content, place, uid)
    for wrong, where, said in (
        (_changed(content, SOPInstanceUID="1.2.3"), place, "another instance"),
        (_changed(content, StudyInstanceUID="1.2.3"), place, "another study"),
        (_changed(content, SeriesInstanceUID="1.2.3"), place, "another study or series"),
        (content, SeriesFound("1.2.3", place.series_uid), "another study"),
        (content[:300], place, "tells no study"),
        (b"", place, "cannot be used"),
    ):
        with pytest.raises(ReadError, match=said):
            check_asked_for(wrong, where, uid)


def test_a_file_of_another_study_is_not_kept(tmp_path: Path) -> None:
    """Under the identifier that was asked for, with the header of somebody else."""
    made = write_studies(tmp_path / "made", studies=1, series=1, slices=2)
    bad, good = made
    place = place_of(made)
    other = _changed(made[bad], StudyInstanceUID="1.2.3.4", PatientName="Somebody^Else")

    def answer(asked: Asked) -> Reply:
        end = asked.path.removeprefix("/rs").rsplit("/", 1)[-1]
        found = {
            "studies": told(_0020000D=place.study_uid),
            "series": told(_0020000E=place.series_uid),
        }
        if end in found:
            return matches(found[end])
        if end == "instances":
            return matches(told(_00080018=bad), told(_00080018=good))
        return one_file(other if end == bad else made[good])

    with serving_web(answer) as service:
        done = pull(service.url, tmp_path / "web", query="PatientID=*")
    assert [f.reason for f in done.failed] == [
        "the archive sent an instance of another study or series than was asked for"
    ]
    assert pulled(tmp_path / "web") == [made[good]]


def test_a_file_of_another_study_is_not_taken_by_c_get(tmp_path: Path) -> None:
    made = write_studies(tmp_path / "made", studies=1, series=1, slices=2)
    bad, good = made
    place = place_of(made)

    class Mixing(dicom.Entity):
        def sent(self, asked: pydicom.Dataset) -> list[pydicom.Dataset]:
            both = super().sent(asked)
            for one in both:
                if one.SOPInstanceUID == bad:
                    one.StudyInstanceUID = "1.2.3.4"
            return both

    with dicom.serving(Mixing(files=made)) as served:
        archive = _dimse(served.port)
        came: dict[str, bytes] = {}
        missed = archive.fetch(place, archive.instances(place), came.__setitem__, whole=True)
        archive.close()
    assert list(came) == [good]
    assert [(m.sop_uid, "another study" in m.reason) for m in missed] == [(bad, True)]


@pytest.mark.parametrize(
    ("told_of_it", "asked", "wanted"),
    [
        ({"Modality": "MR"}, {"Modality": "CT"}, "none"),
        ({"Modality": "ct "}, {"Modality": "CT"}, "a match"),
        ({}, {"Modality": "CT"}, "a match"),
        ({"ModalitiesInStudy": "SR\\CT"}, {"ModalitiesInStudy": "CT"}, "a match"),
        ({"ModalitiesInStudy": "SR\\MR"}, {"ModalitiesInStudy": "CT"}, "none"),
        ({"StudyDate": "20240131"}, {"StudyDate": "20240101-20240131"}, "a match"),
        ({"StudyDate": "20240201"}, {"StudyDate": "20240101-20240131"}, "none"),
        ({"StudyDate": "20240201"}, {"StudyDate": "20240101-"}, "a match"),
        ({"StudyDate": "20240201"}, {"StudyDate": "-20240101"}, "none"),
        ({"StudyDate": "20240201"}, {"StudyDate": "20240201"}, "a match"),
        ({"AccessionNumber": "A12"}, {"AccessionNumber": "A1?"}, "a match"),
        ({"AccessionNumber": "A123"}, {"AccessionNumber": "A1?"}, "none"),
        ({"SeriesDescription": "thin (1.0)"}, {"SeriesDescription": "*(1.0)"}, "a match"),
        ({"SeriesDescription": "Schädel"}, {"SeriesDescription": "Schädel"}, "a match"),
        ({"PatientName": "Meyer^A"}, {"PatientName": "Maier*"}, "a match"),
    ],
)
def test_matches_that_are_none(told_of_it: Mapping[str, str], asked: Mapping[str, str], wanted: str) -> None:
    assert contradicts(told_of_it, asked) is (wanted == "none")


def test_an_archive_that_ignores_a_key_does_not_hand_over_everybody(tmp_path: Path) -> None:
    made = write_studies(tmp_path / "made")

    class Ignoring(dicom.Entity):
        def matching(self, asked: pydicom.Dataset) -> list[pydicom.Dataset]:
            kept = {k: asked.get(k) for k in ("AccessionNumber", "SeriesNumber") if asked.get(k)}
            for keyword in kept:
                setattr(asked, keyword, "")
            return super().matching(asked)

    with dicom.serving(Ignoring(files=made)) as served:
        done = pull(
            f"ARCHIVE@127.0.0.1:{served.port}",
            tmp_path / "out",
            query="AccessionNumber=ACC001 SeriesNumber=2",
            access=Access(retrieve="get"),
        )
    assert (done.studies, done.series, done.moved) == (1, 1, 2)
    assert {str(pydicom.dcmread(p).AccessionNumber) for p in (tmp_path / "out").rglob("*.dcm")} == {"ACC001"}
