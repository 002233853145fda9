"""A small application entity on the loopback: C-ECHO, C-FIND, C-GET, C-MOVE and C-STORE over files in memory."""

import io
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pydicom
from pynetdicom import AE, ALL_TRANSFER_SYNTAXES, evt
from pynetdicom.events import Event, EventHandlerType

CT = "1.2.840.10008.5.1.4.1.1.2"
FIND, MOVE, GET = (f"1.2.840.10008.5.1.4.1.2.2.{n}" for n in (1, 2, 3))
LEVELS = {"STUDY": "StudyInstanceUID", "SERIES": "SeriesInstanceUID", "IMAGE": "SOPInstanceUID"}


@dataclass
class Entity:
    """What the entity holds, what it was told, and how it misbehaves."""

    files: dict[str, bytes] = field(default_factory=dict)
    stored: dict[str, bytes] = field(default_factory=dict)
    destinations: dict[str, int] = field(default_factory=dict)
    find_status: int = 0x0000
    store_status: int = 0x0000
    breaks_at: str = ""
    """SOP Instance UID at which the connection is broken."""
    strangers: tuple[str, ...] = ()
    """SOP Instance UIDs that are sent although nobody asked for them."""
    port: int = 0
    associations: int = 0
    """How often somebody has come."""

    def sets(self) -> list[pydicom.Dataset]:
        """Return the data sets."""
        return [pydicom.dcmread(io.BytesIO(content)) for content in self.files.values()]

    def find(self, event: Event) -> Iterator[tuple[int, pydicom.Dataset | None]]:
        """Answer a search by equality and a trailing star."""
        asked = event.identifier
        if self.find_status:
            yield self.find_status, None
            return
        seen = set()
        for one in self.matching(asked):
            uid = one[LEVELS[asked.QueryRetrieveLevel]].value
            if uid not in seen:
                seen.add(uid)
                told = pydicom.Dataset()
                for element in asked:
                    if element.keyword in one:
                        told[element.tag] = one[element.tag]
                yield 0xFF00, told

    def matching(self, asked: pydicom.Dataset) -> list[pydicom.Dataset]:
        """Return the data sets that match."""
        keys = {e.keyword: str(e.value) for e in asked if e.value and e.keyword != "QueryRetrieveLevel"}
        keys.pop("ModalitiesInStudy", None)
        return [s for s in self.sets() if all(_same(str(s.get(k, "")), v) for k, v in keys.items())]

    def sent(self, asked: pydicom.Dataset) -> list[pydicom.Dataset]:
        """Return what a retrieval sends."""
        others = [pydicom.dcmread(io.BytesIO(self.files[uid])) for uid in self.strangers]
        return [*others, *self.matching(asked)]

    def get(self, event: Event) -> Iterator[int | tuple[int, pydicom.Dataset | None]]:
        """Send over the caller's own association."""
        found = self.sent(event.identifier)
        yield len(found)
        for one in found:
            yield 0xFF00, one

    def move(self, event: Event) -> Iterator[object]:
        """Send to a destination, where it is known."""
        port = self.destinations.get(event.move_destination or "")
        if port is None:
            yield None, None
            return
        found = self.sent(event.identifier)
        yield "127.0.0.1", port
        yield len(found)
        for one in found:
            yield 0xFF00, one

    def store(self, event: Event) -> int:
        """Take a file."""
        if self.breaks_at and self.breaks_at == getattr(event.request, "AffectedSOPInstanceUID", ""):
            event.assoc.abort()
            return 0x0000
        if not self.store_status:
            self.stored[str(getattr(event.request, "AffectedSOPInstanceUID", ""))] = event.encoded_dataset(
                include_meta=False
            )
        return self.store_status


def _same(value: str, asked: str) -> bool:
    return value.startswith(asked[:-1]) if asked.endswith("*") else value == asked


@contextmanager
def serving(
    entity: Entity,
    *,
    offers: tuple[str, ...] = (FIND, MOVE, GET),
    aet: str = "ARCHIVE",
    callers: tuple[str, ...] = (),
    tls: ssl.SSLContext | None = None,
) -> Iterator[Entity]:
    """Serve on a free port of the loopback while the block lasts."""
    ours = AE(ae_title=aet)
    ours.require_called_aet = True
    ours.require_calling_aet = list(callers)
    ours.acse_timeout = ours.dimse_timeout = ours.network_timeout = 10
    ours.add_supported_context("1.2.840.10008.1.1")
    for model in offers:
        ours.add_supported_context(model)
    ours.add_supported_context(CT, ALL_TRANSFER_SYNTAXES[:3], scu_role=True, scp_role=True)
    ours.add_requested_context(CT, ALL_TRANSFER_SYNTAXES[:3])

    def came(_event: Event) -> None:
        entity.associations += 1

    handlers: list[EventHandlerType] = [
        (evt.EVT_ACCEPTED, came),
        (evt.EVT_C_FIND, entity.find),
        (evt.EVT_C_GET, entity.get),
        (evt.EVT_C_MOVE, entity.move),
        (evt.EVT_C_STORE, entity.store),
    ]
    server = ours.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers, ssl_context=tls)
    assert server is not None
    entity.port = server.server_address[1]
    try:
        yield entity
    finally:
        server.shutdown()
