"""DIMSE against a small application entity on the loopback: what comes, and what is said where nothing does."""

import dataclasses
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from pynetdicom import evt
from pynetdicom.events import EventHandlerType
from pynetdicom.transport import AssociationSocket

from hounsfield.core.errors import ArchiveError, HounsfieldError, InputError, StorageError
from hounsfield.data.pacs import association
from hounsfield.data.pacs.archive import LIMITS, ArchiveLimits
from hounsfield.data.pacs.association import Caller
from hounsfield.data.pacs.dimse import DimseArchive, Retrieve
from hounsfield.data.pacs.outgoing import files_below, outgoing
from hounsfield.data.pacs.pace import Pace
from hounsfield.data.pacs.target import DimseTarget
from hounsfield.data.pacs.tls import Tls
from hounsfield.data.pacs.wire import guarded
from hounsfield.workflow.archives import Access
from hounsfield.workflow.pulling import pull
from hounsfield.workflow.pushing import push
from tests.data_room.pacs.certificates import certificate
from tests.data_room.pacs.entity import CT, FIND, GET, MOVE, Entity, serving
from tests.data_room.pacs.making import pulled, write_studies

QUICK = dataclasses.replace(LIMITS, connect_seconds=3.0, answer_seconds=5.0, whole_seconds=10.0)


@pytest.fixture
def entity(tmp_path: Path) -> Iterator[Entity]:
    with serving(Entity(files=write_studies(tmp_path / "made"))) as running:
        yield running


@pytest.fixture(autouse=True)
def closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Close the socket that pynetdicom 3.0 leaves open where a connection fails: there, shutting down fails first."""

    def close(wire: AssociationSocket) -> None:
        if wire.socket is not None:
            with suppress(OSError):
                wire.socket.shutdown(socket.SHUT_RDWR)
            wire.socket.close()

    monkeypatch.setattr(AssociationSocket, "_shutdown_socket", close)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _archive(
    entity: Entity, *, retrieve: Retrieve = "auto", limits: ArchiveLimits = QUICK, aet: str = "ARCHIVE", port: int = 0
) -> DimseArchive:
    pace = Pace(None, clock=time.monotonic, sleep=time.sleep)
    caller = Caller("HOUNSFIELD", port or _free_port(), "127.0.0.1")
    target = DimseTarget(aet, "127.0.0.1", entity.port)
    return DimseArchive(target, caller, limits=limits, pace=pace, retrieve=retrieve)


def _access(entity: Entity, retrieve: str) -> Access:
    port = _free_port()
    entity.destinations["HOUNSFIELD"] = port
    return Access(retrieve=retrieve, port=port, bind="127.0.0.1")


@pytest.mark.parametrize("retrieve", ["auto", "get", "move"])
def test_all_that_matches_comes_and_nothing_twice(entity: Entity, tmp_path: Path, retrieve: str) -> None:
    access = _access(entity, retrieve)
    target = f"ARCHIVE@127.0.0.1:{entity.port}"
    done = pull(target, tmp_path / "out", query="PatientID=PAT001 Modality=CT", access=access)
    assert (done.studies, done.series, done.instances, done.moved, done.failed) == (1, 2, 4, 4, ())
    again = pull(target, tmp_path / "out", query="PatientID=PAT*", access=access)
    assert (again.studies, again.instances, again.moved, again.present) == (2, 8, 4, 4)
    bare = sorted(content[-512:] for content in pulled(tmp_path / "out"))
    assert bare == sorted(content[-512:] for content in entity.files.values())
    next(p for p in (tmp_path / "out").rglob("*.dcm")).unlink()
    third = pull(target, tmp_path / "out", query="PatientID=PAT*", access=access)
    assert (third.moved, third.present) == (1, 7)


def test_series_are_chosen_by_what_is_told(entity: Entity, tmp_path: Path) -> None:
    target = f"ARCHIVE@127.0.0.1:{entity.port}"
    done = pull(target, tmp_path / "out", query="PatientID=*", series="SeriesNumber > 1", access=Access(retrieve="get"))
    assert (done.studies, done.series, done.moved) == (2, 2, 4)
    with pytest.raises(ArchiveError, match="2 studies match"):
        pull(target, tmp_path / "out", query="PatientID=*", series="Modality == 'MR'")


def test_what_was_not_asked_for_is_refused(entity: Entity, tmp_path: Path) -> None:
    wanted, stranger = next(iter(entity.files)), list(entity.files)[-1]
    entity.strangers = (stranger,)
    done = pull(
        f"ARCHIVE@127.0.0.1:{entity.port}",
        tmp_path / "out",
        query="PatientID=PAT000 SeriesNumber=1",
        access=_access(entity, "move"),
    )
    assert wanted != stranger
    assert done.moved == 2
    assert len(pulled(tmp_path / "out")) == 2


def test_c_get_gives_way_to_c_move(tmp_path: Path) -> None:
    with serving(Entity(files=write_studies(tmp_path / "made", studies=1)), offers=(FIND, MOVE)) as entity:
        target = f"ARCHIVE@127.0.0.1:{entity.port}"
        done = pull(target, tmp_path / "out", query="PatientID=*", access=_access(entity, "auto"))
        assert done.moved == 4
        with pytest.raises(ArchiveError, match="--retrieve move"):
            pull(target, tmp_path / "other", query="PatientID=*", access=Access(retrieve="get"))


def test_the_entity_answers_an_echo(entity: Entity) -> None:
    _archive(entity).echo()


def test_unknown_destinations_name_what_is_missing(entity: Entity, tmp_path: Path) -> None:
    access = Access(retrieve="move", port=_free_port(), bind="127.0.0.1")
    with pytest.raises(ArchiveError, match="DicomModalities") as raised:
        pull(f"ARCHIVE@127.0.0.1:{entity.port}", tmp_path / "out", query="PatientID=*", access=access)
    assert f"port {access.port}" in raised.value.message()
    assert not pulled(tmp_path / "out")


def test_titles_that_are_not_known(tmp_path: Path) -> None:
    with serving(Entity(), callers=("FRIEND",)) as entity:
        with pytest.raises(ArchiveError, match="know our AE title HOUNSFIELD"):
            _archive(entity).echo()
        with pytest.raises(ArchiveError, match="by the AE title OTHER"):
            _archive(entity, aet="OTHER").echo()


def test_a_rejection_is_heard_though_the_connection_ended_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    # pynetdicom looks whether the connection stands before it looks for an answer; here, as on a busy machine, both
    # the rejection and the end of the connection have come by then
    def slow(limits: ArchiveLimits) -> list[EventHandlerType]:
        return [*guarded(limits), (evt.EVT_REQUESTED, lambda _: time.sleep(1.5))]

    monkeypatch.setattr(association, "guarded", slow)
    with serving(Entity(), callers=("FRIEND",)) as entity:
        with pytest.raises(ArchiveError, match="know our AE title HOUNSFIELD"):
            _archive(entity).echo()
        with pytest.raises(ArchiveError, match="by the AE title OTHER"):
            _archive(entity, aet="OTHER").echo()


def test_searching_is_not_offered_or_fails(tmp_path: Path) -> None:
    with (
        serving(Entity(), offers=(GET,)) as entity,
        pytest.raises(ArchiveError, match="does not offer the service"),
    ):
        _archive(entity).studies({"PatientID": "*"})
    with serving(Entity(find_status=0xA700)) as entity, pytest.raises(ArchiveError, match="A700"):
        _archive(entity).studies({"PatientID": "*"})


def test_matches_are_counted(entity: Entity) -> None:
    archive = _archive(entity, limits=dataclasses.replace(QUICK, matches=1))
    with pytest.raises(ArchiveError, match="More than 1 matches"):
        archive.studies({"PatientID": "*"})
    archive.close()


def test_nothing_listens() -> None:
    with pytest.raises(ArchiveError, match="refused"):
        _archive(Entity(port=_free_port())).echo()


def test_somebody_else_listens() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        silent = Entity(port=other.getsockname()[1])
        patience = threading.Timer(60.0, other.close)  # far longer than is waited for an answer
        patience.start()
        with pytest.raises(ArchiveError):
            _archive(silent, limits=dataclasses.replace(QUICK, answer_seconds=1.0)).echo()
        assert patience.is_alive()
        patience.cancel()


def test_files_past_the_limit_do_not_come(entity: Entity) -> None:
    archive = _archive(entity, retrieve="get", limits=dataclasses.replace(QUICK, instance_bytes=300))
    came: list[str] = []
    (study, *_) = archive.studies({"PatientID": "*"})
    series = archive.series(study, {})[0]
    missed = archive.fetch(series, archive.instances(series), lambda uid, content: came.append(uid), whole=True)
    archive.close()
    assert came == []
    assert ["larger than" in m.reason for m in missed] == [True, True]


def test_a_full_disk_ends_the_pull(entity: Entity) -> None:
    archive = _archive(entity, retrieve="get")
    (study, *_) = archive.studies({"PatientID": "*"})
    series = archive.series(study, {})[0]

    def keep(uid: str, content: bytes) -> None:
        raise StorageError("x could not be written: no space left.")

    with pytest.raises(StorageError):
        archive.fetch(series, archive.instances(series), keep, whole=True)
    archive.close()


def test_the_port_is_taken(entity: Entity, tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        access = Access(retrieve="move", port=other.getsockname()[1], bind="127.0.0.1")
        with pytest.raises(ArchiveError, match="cannot be listened on"):
            pull(f"ARCHIVE@127.0.0.1:{entity.port}", tmp_path / "out", query="PatientID=*", access=access)


def test_files_are_sent_as_they_are_and_once(tmp_path: Path) -> None:
    made = write_studies(tmp_path / "made")
    with serving(Entity()) as entity:
        done = push(tmp_path / "made", f"ARCHIVE@127.0.0.1:{entity.port}")
        assert (done.moved, done.present, done.failed) == (8, 0, ())
        assert set(entity.stored) == set(made)
        assert all(made[uid].endswith(content) for uid, content in entity.stored.items())
        entity.files = dict(list(made.items())[:6])
        again = push(tmp_path / "made", f"ARCHIVE@127.0.0.1:{entity.port}")
        assert (again.moved, again.present) == (2, 6)


def test_files_that_are_not_taken_are_named_with_a_reason(tmp_path: Path) -> None:
    write_studies(tmp_path / "made", studies=1, series=1)
    odd = tmp_path / "made" / "odd.dcm"
    content = next(p for p in (tmp_path / "made").rglob("*") if p.is_file()).read_bytes()
    odd.write_bytes(content.replace(b"1.2.840.10008.5.1.4.1.1.2\0", b"1.2.840.10008.5.1.4.1.1.4\0") + b"\0")
    with serving(Entity(store_status=0xA700)) as entity:
        done = push(tmp_path / "made", f"ARCHIVE@127.0.0.1:{entity.port}")
    assert done.moved == 0
    reasons = [f.reason for f in done.failed]
    assert any("A700" in r for r in reasons)
    assert all("PAT" not in f"{f}" and str(tmp_path) not in f"{f}" for f in done.failed)


def test_other_encodings_are_left_out_and_the_rest_goes(tmp_path: Path) -> None:
    write_studies(tmp_path / "made", studies=1, series=1)
    files = [f for p in files_below(tmp_path / "made") if (f := outgoing(p)) is not None]
    foreign = dataclasses.replace(files[0], transfer_syntax="1.2.840.10008.1.2.4.201", sop_uid="1.2.3")
    odd = dataclasses.replace(files[1], data_bytes=files[1].data_bytes + 1, path=tmp_path / "odd")
    with serving(Entity()) as entity:
        sent: list[str] = []
        missed = _archive(entity).send([foreign, odd, files[1]], lambda f: sent.append(f.sop_uid))
        only = _archive(entity).send([foreign], lambda f: sent.append(f.sop_uid))
    assert sent == [files[1].sop_uid]
    assert ["encoding" in m.reason for m in missed] == [True, False]
    assert "odd length" in missed[1].reason
    assert ["encoding" in m.reason for m in only] == [True]
    assert files[0].sop_class == CT


def test_a_broken_connection_costs_one_file(tmp_path: Path) -> None:
    made = write_studies(tmp_path / "made", studies=1)
    with serving(Entity()) as whole:
        push(tmp_path / "made", f"ARCHIVE@127.0.0.1:{whole.port}")
    with serving(Entity(breaks_at=list(made)[1])) as entity:
        done = push(tmp_path / "made", f"ARCHIVE@127.0.0.1:{entity.port}")
    assert entity.associations == whole.associations + 1
    assert done.moved == 3
    assert ["broke the connection" in f.reason for f in done.failed] == [True]


def test_no_answer_is_lost_on_a_long_association(entity: Entity) -> None:
    archive = _archive(entity)
    (study, *_) = archive.studies({"PatientID": "*"})
    counts = {len(archive.series(study, {})) for _ in range(150)}
    archive.close()
    assert counts == {2}


def test_over_tls_with_certificates_on_both_sides(tmp_path: Path) -> None:
    both = certificate(tmp_path / "both.pem")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=both)
    context.load_cert_chain(both)
    context.verify_mode = ssl.CERT_REQUIRED
    pace = Pace(None, clock=time.monotonic, sleep=time.sleep)
    with serving(Entity(files=write_studies(tmp_path / "made", studies=1)), tls=context) as entity:
        target = DimseTarget("ARCHIVE", "127.0.0.1", entity.port)
        trusted = Caller(bind="127.0.0.1", tls=Tls(both, both))
        archive = DimseArchive(target, trusted, limits=QUICK, pace=pace)
        assert len(archive.studies({"PatientID": "*"})) == 1
        archive.close()
        for tls in (None, Tls(None, both)):
            with pytest.raises(HounsfieldError):
                DimseArchive(target, Caller(bind="127.0.0.1", tls=tls), limits=QUICK, pace=pace).echo()
    with pytest.raises(InputError, match=r"none\.pem cannot be read"):
        DimseArchive(target, Caller(tls=Tls(tmp_path / "none.pem")), limits=QUICK, pace=pace).echo()
