"""Keeps the process in which native decoders run, and starts another one when a codestream has ended it."""

import atexit
import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from hounsfield.data.dicom.codestreams import BadStream
from hounsfield.data.dicom.limits import Limits

_SCRIPT = Path(__file__).with_name("codec_process.py")
_PATIENCE = 5
"""Wall-clock seconds that are waited for one second of processor time that is allowed, on a busy machine."""


class CodecHost:
    """One process for all decoders, for this process; started by its first frame."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0

    def decode(self, order: Mapping[str, object], data: bytes, limits: Limits) -> bytes:
        """Return the samples of a codestream.

        Parameters
        ----------
        order : mapping
            What `codec_process` needs to know: codec, rows, columns, components, precision, ...
        data : bytes
            The codestream.
        limits : Limits
            Processor time and memory for it.

        Raises
        ------
        BadStream
            If the decoder refuses it, crashes, takes too long or too much.
        """
        line = json.dumps({**order, "bytes": len(data), "seconds": limits.seconds, "memory": limits.decoder_bytes})
        with self._lock:
            process = self._running()
            watch = threading.Timer(limits.seconds * _PATIENCE, process.kill)
            watch.daemon = True
            watch.start()
            try:
                return _exchange(process, line.encode() + b"\n", data)
            except (OSError, ValueError, EOFError) as error:
                self.close()
                raise BadStream("its decoder crashed, or took too long or too much memory") from error
            finally:
                watch.cancel()

    def close(self) -> None:
        """End the process, if there is one."""
        process, self._process = self._process, None
        if process is None or self._owner != os.getpid():
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        process.wait()

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is not None and self._owner == os.getpid() and self._process.poll() is None:
            return self._process
        self.close()
        self._owner = os.getpid()
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "MKL_NUM_THREADS": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self._process = subprocess.Popen(  # noqa: S603  our own script, by our own interpreter
            [sys.executable, "-P", str(_SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        return self._process


def _exchange(process: "subprocess.Popen[bytes]", line: bytes, data: bytes) -> bytes:
    if process.stdin is None or process.stdout is None:
        raise EOFError
    process.stdin.write(line)
    process.stdin.write(data)
    process.stdin.flush()
    head = process.stdout.readline()
    if not head:
        raise EOFError
    answer = json.loads(head)
    if "error" in answer:
        raise BadStream(f"its decoder refuses it ({answer['error']})")
    samples = process.stdout.read(answer["bytes"])
    if len(samples) != answer["bytes"]:
        raise EOFError
    return samples


HOST = CodecHost()
"""The host of this process."""
atexit.register(HOST.close)
