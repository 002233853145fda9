"""An archive over DIMSE: C-FIND to search, C-GET or C-MOVE to fetch, C-STORE to send (DICOM PS3.4, PS3.7)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Literal

from hounsfield.core.errors import ArchiveError
from hounsfield.data.pacs.archive import ArchiveLimits, InstanceFound, Keep, Missed, Outgoing, SeriesFound
from hounsfield.data.pacs.asked_for import contradicts
from hounsfield.data.pacs.association import (
    MOST_CONTEXTS,
    STUDY_FIND,
    STUDY_GET,
    STUDY_MOVE,
    VERIFICATION,
    Caller,
    NothingAgreedError,
    associated,
)
from hounsfield.data.pacs.finding import identifier, matches, text
from hounsfield.data.pacs.pace import Pace
from hounsfield.data.pacs.question import SERIES_KEYS, is_uid
from hounsfield.data.pacs.receiving import Door, Receiver, listening
from hounsfield.data.pacs.sending import send_files
from hounsfield.data.pacs.target import DimseTarget

if TYPE_CHECKING:
    from pydicom.dataset import Dataset
    from pynetdicom.association import Association

Retrieve = Literal["auto", "get", "move"]
_PENDING = (0xFF00, 0xFF01)
_SUCCESS, _SOME_FAILED = 0x0000, 0xB000
_UNKNOWN_DESTINATION = 0xA801
_REFUSALS = (0xA, 0xC)
"""First digit of a status that says that nothing was done."""


class DimseArchive:
    """An application entity that was reached.

    Parameters
    ----------
    target : DimseTarget
    caller : Caller
    limits : ArchiveLimits
    pace : Pace
    retrieve : {"auto", "get", "move"}
        How files are fetched; ``auto`` is C-GET where the archive offers it, else C-MOVE.
    """

    def __init__(
        self,
        target: DimseTarget,
        caller: Caller,
        *,
        limits: ArchiveLimits,
        pace: Pace,
        retrieve: Retrieve = "auto",
    ) -> None:
        self._target = target
        self._caller = caller
        self._limits = limits
        self._pace = pace
        self._retrieve = retrieve
        self.passed_over = 0
        self._open = ExitStack()
        self._finding: Association | None = None
        self._listening = ExitStack()
        self._door: Door | None = None
        self._comes = False
        """Whether a file has come to us by C-MOVE, which shows that the archive knows us."""

    def echo(self) -> None:
        """Ask whether the archive is there (C-ECHO)."""
        from pynetdicom import build_context

        with associated(self._target, self._caller, [build_context(VERIFICATION)], limits=self._limits) as to:
            status = to.send_c_echo()
            if getattr(status, "Status", None) != _SUCCESS:
                raise ArchiveError(
                    "The archive does not answer C-ECHO.", expected="an answer", next_step="look at its log"
                )

    def studies(self, keys: Mapping[str, str]) -> tuple[str, ...]:
        """Return the Study Instance UIDs that match."""
        found = self._matches("STUDY", keys, told=tuple(keys), by="StudyInstanceUID")
        return tuple(found)

    def series(self, study_uid: str, keys: Mapping[str, str]) -> tuple[SeriesFound, ...]:
        """Return the series of a study that match."""
        found = self._matches(
            "SERIES", {"StudyInstanceUID": study_uid, **keys}, told=tuple(SERIES_KEYS), by="SeriesInstanceUID"
        )
        return tuple(SeriesFound(study_uid, uid, told) for uid, told in found.items())

    def instances(self, series: SeriesFound) -> tuple[InstanceFound, ...]:
        """Return all instances of a series."""
        place = {"StudyInstanceUID": series.study_uid, "SeriesInstanceUID": series.series_uid}
        found = self._matches("IMAGE", place, told=("SOPClassUID",), by="SOPInstanceUID")
        return tuple(InstanceFound(uid, told.get("SOPClassUID", "")) for uid, told in found.items())

    def fetch(
        self, series: SeriesFound, wanted: Sequence[InstanceFound], keep: Keep, *, whole: bool
    ) -> tuple[Missed, ...]:
        """Fetch instances: the series at once where all of it is wanted, else one after the other."""
        receiver = Receiver(series, {i.sop_uid for i in wanted}, keep, pace=self._pace, limits=self._limits)
        place = {"StudyInstanceUID": series.study_uid, "SeriesInstanceUID": series.series_uid}
        asked = [identifier("SERIES", place)]
        if not whole:
            asked = [identifier("IMAGE", {**place, "SOPInstanceUID": i.sop_uid}) for i in wanted]
        said = self._fetched(asked, wanted, receiver)
        if receiver.failure is not None:
            raise receiver.failure
        return tuple(
            Missed(i.sop_uid, receiver.refused.get(i.sop_uid, said))
            for i in wanted
            if i.sop_uid not in receiver.arrived
        )

    def send(self, files: Sequence[Outgoing], sent: Callable[[Outgoing], None]) -> tuple[Missed, ...]:
        """Send files as they are (C-STORE)."""
        return send_files(self._target, self._caller, files, sent=sent, limits=self._limits, pace=self._pace)

    def close(self) -> None:
        """Release what is open."""
        self._finding = self._door = None
        self._open.close()
        self._listening.close()

    def _matches(
        self, level: str, keys: Mapping[str, str], *, told: Sequence[str], by: str
    ) -> dict[str, dict[str, str]]:
        """Return what is told of the matches of a search, by their UIDs; those that are none are passed over."""
        found: dict[str, dict[str, str]] = {}
        for match in self._find(identifier(level, {**dict.fromkeys((*told, by), ""), **keys})):
            uid = text(match, by)
            said = {name: value for name in dict.fromkeys((*told, *keys)) if (value := text(match, name))}
            if not is_uid(uid):
                continue
            if contradicts(said, keys):
                self.passed_over += 1
            else:
                found[uid] = said
        return found

    def _find(self, asked: "Dataset") -> Iterator["Dataset"]:
        from pynetdicom import build_context

        if self._finding is None or not self._finding.is_established:
            self._open.close()
            self._finding = self._open.enter_context(
                associated(self._target, self._caller, [build_context(STUDY_FIND)], limits=self._limits)
            )
        yield from matches(self._finding, asked, most=self._limits.matches)

    def _fetched(self, asked: Sequence["Dataset"], wanted: Sequence[InstanceFound], receiver: Receiver) -> str:
        """Fetch by the way that the archive offers; return what to say of what did not come."""
        if self._retrieve != "move" and (self._retrieve == "get" or all(i.sop_class for i in wanted)):
            said = self._get(asked, wanted, receiver)
            if said is not None:
                return said
            if self._retrieve == "get":
                raise ArchiveError(
                    "The archive does not offer C-GET, or does not tell what kind of files the series has.",
                    expected="C-GET at study root",
                    next_step="give --retrieve move",
                )
            self._retrieve = "move"
        return self._move(asked, receiver)

    def _get(self, asked: Sequence["Dataset"], wanted: Sequence[InstanceFound], receiver: Receiver) -> str | None:
        """Fetch by C-GET; None where the archive does not offer it."""
        from pynetdicom import ALL_TRANSFER_SYNTAXES, build_context, build_role

        classes = list(dict.fromkeys(i.sop_class for i in wanted if is_uid(i.sop_class)))
        if not classes:
            return None
        # a context for each transfer syntax, so that files come as they are stored
        syntaxes = ALL_TRANSFER_SYNTAXES[: max(1, (MOST_CONTEXTS - 1) // len(classes))]
        contexts = [build_context(STUDY_GET)]
        contexts += [build_context(c, s) for c in classes for s in syntaxes][: MOST_CONTEXTS - 1]
        roles = [build_role(c, scp_role=True) for c in classes]
        try:
            with associated(
                self._target,
                self._caller,
                contexts,
                limits=self._limits,
                roles=roles,
                on_store=receiver.store,
                silence=self._limits.whole_seconds,
            ) as to:
                if not any(c.abstract_syntax == STUDY_GET for c in to.accepted_contexts):
                    return None
                said = ""
                for each in asked:
                    said = _words(_followed(to.send_c_get(each, STUDY_GET)), "C-GET")
                return said
        except NothingAgreedError:
            return None

    def _move(self, asked: Sequence["Dataset"], receiver: Receiver) -> str:
        from pynetdicom import build_context

        if self._door is None:
            door = Door()
            self._listening.enter_context(listening(door, self._caller, self._limits))
            self._door = door
        self._door.receiver = receiver
        with associated(
            self._target,
            self._caller,
            [build_context(STUDY_MOVE)],
            limits=self._limits,
            silence=self._limits.whole_seconds,
        ) as to:
            said = ""
            for each in asked:
                code = _followed(to.send_c_move(each, self._caller.aet, STUDY_MOVE))
                self._comes = self._comes or bool(receiver.arrived)
                # at the first files any refusal is one of us; later it is one of the file
                if code == _UNKNOWN_DESTINATION or (code is not None and code >> 12 in _REFUSALS and not self._comes):
                    raise _no_way_to(self._caller, code)
                said = _words(code, "C-MOVE")
        return said


def _followed(answers: Iterator[tuple["Dataset", "Dataset | None"]]) -> int | None:
    """Follow a retrieval to its end; return its last status, None where the archive fell silent."""
    for status, _ in answers:
        code = getattr(status, "Status", None)
        if code not in _PENDING:
            return code if isinstance(code, int) else None
    return None


def _words(code: int | None, verb: str) -> str:
    """Return what to say of an instance that did not come."""
    if code is None:
        return f"the archive fell silent or broke the connection during {verb}"
    if code not in (_SUCCESS, _SOME_FAILED):
        return f"the archive ended {verb} with status {code:04X}"
    if verb == "C-MOVE":
        return "the archive says that it sent it, but it did not come: is the port it knows for us that of --port?"
    return "the archive did not send it, or in an encoding that was not agreed on: try --retrieve move"


def _no_way_to(caller: Caller, code: int) -> ArchiveError:
    return ArchiveError(
        f"The archive does not send files to {caller.aet} (C-MOVE status {code:04X}).",
        expected=f"{caller.aet} among the destinations that it knows, with this machine's address and "
        f"port {caller.port} (Orthanc: DicomModalities)",
        next_step="have it entered by the archive's administrator, give --aet and --port as entered, "
        "or try --retrieve get",
    )
