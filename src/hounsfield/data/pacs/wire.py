"""The connection under an association: no message, and no wait for one, grows past what is accepted.

pynetdicom believes any length that the other side claims, and waits without end for the bytes: a peer that dies in the
middle of a message, or lies about its length, would hang the program or fill the memory.
"""

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from hounsfield.data.pacs.archive import ArchiveLimits

if TYPE_CHECKING:
    from pynetdicom.events import Event, EventHandlerType
    from pynetdicom.transport import AssociationSocket

_LONGEST_PDU = 256 * 1024
"""Ours agree on 16 KiB; a request with 128 contexts and every transfer syntax stays below."""
_LONGEST_COMMAND = 64 * 1024
_AGREED_PDU = 16 * 1024
_PIECE = 1 << 16


def guarded(limits: ArchiveLimits) -> list["EventHandlerType"]:
    """Return handlers that keep a connection within limits, and have small messages sent and acknowledged at once.

    Notes
    -----
    DIMSE sends a short message and waits for a short answer. Nagle's algorithm at one end and delayed acknowledgement
    at the other then cost 40 to 100 ms for each file, more than the file itself.
    """
    from pynetdicom import evt

    def begin(event: "Event") -> None:
        wire = event.assoc.dul.socket
        if wire is not None and wire.socket is not None:
            wire.socket.settimeout(limits.answer_seconds)
            wire.recv = _receiving(wire, limits.answer_seconds)  # type: ignore[method-assign, assignment]  # no other way
        _set(event, socket.TCP_NODELAY)

    def acknowledge_at_once(event: "Event") -> None:
        if hasattr(socket, "TCP_QUICKACK"):  # Linux; holds for what comes next only
            _set(event, socket.TCP_QUICKACK)

    def came(event: "Event") -> None:
        acknowledge_at_once(event)
        if _held(event) and event.assoc.dul.socket is not None:
            event.assoc.dul.socket.close()

    def _held(event: "Event") -> bool:
        """Tell whether more is held of one message, or waits to be looked at, than a message may have."""
        message = event.assoc.dimse.message
        data, command = (getattr(message, name, None) for name in ("data_set", "encoded_command_set"))
        return (
            (data is not None and data.tell() > limits.instance_bytes)
            or (command is not None and command.tell() > _LONGEST_COMMAND)
            or event.assoc.dul.to_user_queue.qsize() * _AGREED_PDU > limits.instance_bytes + (1 << 20)
        )

    return [(evt.EVT_CONN_OPEN, begin), (evt.EVT_PDU_SENT, acknowledge_at_once), (evt.EVT_PDU_RECV, came)]


def _receiving(wire: "AssociationSocket", seconds: float) -> Callable[[int], bytearray]:
    """Return a function that reads so many bytes within a time, and refuses lengths that nobody agreed on."""

    def recv(nr_bytes: int) -> bytearray:
        if nr_bytes > _LONGEST_PDU:
            raise OSError("a message longer than was agreed on")
        got = bytearray()
        end = time.monotonic() + seconds
        try:
            while wire.socket is not None and len(got) < nr_bytes:
                wire.socket.settimeout(max(0.001, end - time.monotonic()))
                piece = wire.socket.recv(min(nr_bytes - len(got), _PIECE))
                if not piece:
                    break
                got += piece
        finally:
            if wire.socket is not None:
                wire.socket.settimeout(seconds)
        return got

    return recv


def _set(event: "Event", option: int) -> None:
    wire = event.assoc.dul.socket
    if wire is not None and wire.socket is not None:
        with suppress(OSError):
            wire.socket.setsockopt(socket.IPPROTO_TCP, option, 1)
