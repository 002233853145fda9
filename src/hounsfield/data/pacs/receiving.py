"""Where files come to that the archive sends us: within an association of ours (C-GET) or to our port (C-MOVE)."""

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hounsfield.core.errors import ArchiveError, HounsfieldError, ReadError
from hounsfield.data.pacs.archive import ArchiveLimits, Keep, SeriesFound, too_large
from hounsfield.data.pacs.asked_for import check_asked_for
from hounsfield.data.pacs.association import VERIFICATION, Caller, entity
from hounsfield.data.pacs.pace import Pace
from hounsfield.data.pacs.tls import server_context
from hounsfield.data.pacs.wire import guarded

if TYPE_CHECKING:
    from pynetdicom.events import Event

_TAKEN = 0x0000
_NOT_ASKED_FOR = 0x0124
_NO_ROOM = 0xA700
_OTHER_CONTENT = 0xA900
_MOST_ASSOCIATIONS = 4


class Receiver:
    """Takes files that were asked for, and no others.

    Parameters
    ----------
    series : SeriesFound
    wanted : collection of str
        SOP Instance UIDs.
    keep : Keep
    pace : Pace
        Answers are held back to it, which holds the archive back.
    limits : ArchiveLimits
    """

    def __init__(
        self, series: SeriesFound, wanted: Collection[str], keep: Keep, *, pace: Pace, limits: ArchiveLimits
    ) -> None:
        self._series = series
        self._wanted = frozenset(wanted)
        self._keep = keep
        self._pace = pace
        self._limits = limits
        self._lock = threading.Lock()
        self.refused: dict[str, str] = {}
        """Why a file that came was not taken, by SOP Instance UID."""
        self.arrived: set[str] = set()
        self.failure: HounsfieldError | None = None
        """Why a file could not be kept, such as a full disk."""

    def store(self, event: "Event") -> int:
        """Take one file; return the status of the C-STORE."""
        uid = str(getattr(event.request, "AffectedSOPInstanceUID", ""))
        with self._lock:
            if uid not in self._wanted:
                return _NOT_ASKED_FOR
            if uid in self.arrived:
                return _TAKEN
            self._pace.wait()
            return self._taken(uid, event.encoded_dataset())

    def _taken(self, uid: str, content: bytes) -> int:
        if len(content) > self._limits.instance_bytes:
            self.refused[uid] = too_large(self._limits)
            return _NO_ROOM
        try:
            check_asked_for(content, self._series, uid)
        except ReadError as error:
            self.refused[uid] = error.found
            return _OTHER_CONTENT
        try:
            self._keep(uid, content)
        except HounsfieldError as error:
            self.failure = error
            return _NO_ROOM
        self.arrived.add(uid)
        return _TAKEN


class Door:
    """Where a port hands files on to: whoever waits for some at the moment."""

    def __init__(self) -> None:
        self.receiver: Receiver | None = None

    def store(self, event: "Event") -> int:
        """Take one file, or refuse it where nobody waits."""
        receiver = self.receiver
        return _NOT_ASKED_FOR if receiver is None else receiver.store(event)


@contextmanager
def listening(door: Door, caller: Caller, limits: ArchiveLimits) -> Iterator[int]:
    """Listen on our port while the block lasts.

    Yields
    ------
    int
        The port.

    Raises
    ------
    ArchiveError
        If the port is taken.
    """
    from pynetdicom import ALL_TRANSFER_SYNTAXES, AllStoragePresentationContexts, evt

    ours = entity(caller, limits)
    ours.maximum_associations = _MOST_ASSOCIATIONS
    ours.require_called_aet = True
    for context in AllStoragePresentationContexts:
        ours.add_supported_context(str(context.abstract_syntax), ALL_TRANSFER_SYNTAXES)
    ours.add_supported_context(VERIFICATION)
    try:
        server = ours.start_server(
            (caller.bind, caller.port),
            block=False,
            ssl_context=server_context(caller.tls) if caller.tls is not None else None,
            evt_handlers=[(evt.EVT_C_STORE, door.store), *guarded(limits)],
        )
    except OSError as error:
        raise ArchiveError(
            f"Port {caller.port} of this machine cannot be listened on: the archive could not send anything to it.",
            expected="a free port above 1023, the one that the archive's administrator entered for us",
            next_step="end what uses it, or give --port",
        ) from error
    if server is None:
        raise AssertionError("a server that does not block is returned")
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
