"""A time after which an HTTP request is over, however it goes on.

The time limits of sockets hold for each piece that arrives: a server that sends one byte a minute, or an endless row of
"100 Continue", keeps within them for ever. The connection itself is cut instead.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import WeakSet

if TYPE_CHECKING:
    import requests


@dataclass
class Overrun:
    """Whether a request was cut."""

    cut: bool = False


@dataclass
class Deadline:
    """Notes the connections of a session, to cut them when a request takes too long."""

    _sockets: "WeakSet[socket.socket]" = field(default_factory=WeakSet)

    def watch(self, session: "requests.Session") -> None:
        """Have every connection of a session noted from now on."""
        from requests.adapters import HTTPAdapter
        from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
        from urllib3.connection import HTTPConnection, HTTPSConnection

        noted = self._sockets

        class Plain(HTTPConnection):
            def connect(self) -> None:
                super().connect()
                if self.sock is not None:
                    noted.add(self.sock)

        class Encrypted(HTTPSConnection):
            def connect(self) -> None:
                super().connect()
                if self.sock is not None:
                    noted.add(self.sock)

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class EncryptedPool(HTTPSConnectionPool):
            ConnectionCls = Encrypted

        adapter = HTTPAdapter()
        adapter.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": EncryptedPool}
        session.mount("http://", adapter)
        session.mount("https://", adapter)

    @contextmanager
    def within(self, seconds: float) -> Iterator[Overrun]:
        """Cut the connections if the block takes longer; say so in what is yielded."""
        overrun = Overrun()

        def cut() -> None:
            overrun.cut = True
            for one in list(self._sockets):
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(seconds, cut)
        timer.daemon = True
        timer.start()
        try:
            yield overrun
        finally:
            timer.cancel()
