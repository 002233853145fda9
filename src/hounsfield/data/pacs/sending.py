"""C-STORE: files go out as they are, in the transfer syntax that they have."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hounsfield.data.pacs.archive import ArchiveLimits, Missed, Outgoing
from hounsfield.data.pacs.association import MOST_CONTEXTS, Caller, NothingAgreedError, associated
from hounsfield.data.pacs.pace import Pace
from hounsfield.data.pacs.target import DimseTarget

if TYPE_CHECKING:
    from pynetdicom.association import Association

_SUCCESS = 0x0000
_WARNINGS = (0xB000, 0xB006, 0xB007, 0x0107, 0x0116)
_NOT_AGREED = "the archive does not take this kind of file in its encoding"
_ODD = "its data set has an odd length, which DIMSE does not allow: send it by DICOMweb"
"""PS3.8, annex E.1: fragments are even. Some deflated files are odd, and end the association."""
_BROKEN = "the archive broke the connection at this file"


def send_files(
    target: DimseTarget,
    caller: Caller,
    files: Sequence[Outgoing],
    *,
    sent: Callable[[Outgoing], None],
    limits: ArchiveLimits,
    pace: Pace,
) -> tuple[Missed, ...]:
    """Send files; each is tried once.

    Parameters
    ----------
    target : DimseTarget
    caller : Caller
    files : sequence of Outgoing
    sent : callable
        Told of each file that was taken.
    limits : ArchiveLimits
    pace : Pace

    Returns
    -------
    tuple of Missed

    Notes
    -----
    Each pair of SOP class and transfer syntax gets a presentation context of its own. An archive that breaks the
    connection at a file it cannot stand (some do so at a transfer syntax that they do not know) loses that file only:
    the rest goes over a new association.
    """
    missed: list[Missed] = []
    left = list(files)
    while left:
        kinds = list(dict.fromkeys((f.sop_class, f.transfer_syntax) for f in left))[:MOST_CONTEXTS]
        batch = [f for f in left if (f.sop_class, f.transfer_syntax) in kinds]
        try:
            done, failed = _batch(target, caller, kinds, batch=batch, sent=sent, limits=limits, pace=pace)
        except NothingAgreedError:
            done, failed = {f.path for f in batch}, [Missed(f.sop_uid, _NOT_AGREED) for f in batch]
        missed += failed
        left = [f for f in left if f.path not in done]
    return tuple(missed)


def _batch(
    target: DimseTarget,
    caller: Caller,
    kinds: Sequence[tuple[str, str]],
    *,
    batch: Sequence[Outgoing],
    sent: Callable[[Outgoing], None],
    limits: ArchiveLimits,
    pace: Pace,
) -> tuple[set[Path], list[Missed]]:
    """Send over one association, until all is tried or it breaks; return the paths tried and what was missed."""
    from pynetdicom import build_context

    tried: set[Path] = set()
    missed: list[Missed] = []
    contexts = [build_context(sop_class, syntax) for sop_class, syntax in kinds]
    with associated(target, caller, contexts, limits=limits) as to, _as_they_are():
        agreed = {(str(c.abstract_syntax), str(c.transfer_syntax[0])) for c in to.accepted_contexts}
        for file in batch:
            tried.add(file.path)
            if (file.sop_class, file.transfer_syntax) not in agreed:
                missed.append(Missed(file.sop_uid, _NOT_AGREED))
                continue
            pace.wait()
            reason = _sent(to, file)
            if reason:
                missed.append(Missed(file.sop_uid, reason))
            else:
                sent(file)
            if reason == _BROKEN or not to.is_established:
                break
    return tried, missed


def _sent(to: "Association", file: Outgoing) -> str:
    """Send one file; return why it was not taken, empty where it was."""
    if file.data_bytes % 2:
        return _ODD
    try:
        status = to.send_c_store(file.path)
    except (AttributeError, ValueError, RuntimeError, OSError) as error:
        return f"it could not be sent ({type(error).__name__})"
    code = getattr(status, "Status", None)
    if code is None:
        return _BROKEN
    return "" if code == _SUCCESS or code in _WARNINGS else f"the archive does not store it (C-STORE status {code:04X})"


@contextmanager
def _as_they_are() -> Iterator[None]:
    """Have pynetdicom send the bytes of files instead of decoding and encoding them again."""
    from pynetdicom import _config

    before = _config.STORE_SEND_CHUNKED_DATASET
    _config.STORE_SEND_CHUNKED_DATASET = True
    try:
        yield
    finally:
        _config.STORE_SEND_CHUNKED_DATASET = before
