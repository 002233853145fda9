"""Associations with an application entity: asked for, and when it comes to none, why not in words."""

import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hounsfield.core.errors import ArchiveError
from hounsfield.data.pacs.archive import ArchiveLimits
from hounsfield.data.pacs.gate import alone
from hounsfield.data.pacs.target import DimseTarget
from hounsfield.data.pacs.tls import Tls, client_context
from hounsfield.data.pacs.wire import guarded

if TYPE_CHECKING:
    from pynetdicom import AE
    from pynetdicom.association import Association
    from pynetdicom.events import Event, EventHandlerType
    from pynetdicom.pdu import A_ASSOCIATE_RJ
    from pynetdicom.pdu_primitives import SCP_SCU_RoleSelectionNegotiation
    from pynetdicom.presentation import PresentationContext

VERIFICATION = "1.2.840.10008.1.1"
STUDY_FIND, STUDY_MOVE, STUDY_GET = (f"1.2.840.10008.5.1.4.1.2.2.{n}" for n in (1, 2, 3))
"""SOP classes of the study root query / retrieve information model (PS3.4, section C.6.2.1.3)."""
MOST_CONTEXTS = 128
"""Presentation contexts that one association can have (PS3.8, section 9.3.2.2: odd numbers in one byte)."""
_BY_USER, _BY_PRESENTATION = 1, 3
_CALLING, _CALLED = 3, 7


class NothingAgreedError(ArchiveError):
    """The archive is there, but takes none of the services that were asked for."""


@dataclass(frozen=True)
class Caller:
    """Who calls: what the archive's administrator has to know of us.

    Parameters
    ----------
    aet : str
        Our own application entity title.
    port : int
        Where files of a C-MOVE are received; 0 for any free one.
    bind : str
        Address to receive at; all of this machine where empty.
    tls : Tls or None
    """

    aet: str = "HOUNSFIELD"
    port: int = 11112
    bind: str = ""
    tls: Tls | None = None


def entity(caller: Caller, limits: ArchiveLimits) -> "AE":
    """Return our application entity with its time limits."""
    from pynetdicom import AE

    ours = AE(ae_title=caller.aet)
    ours.connection_timeout = limits.connect_seconds
    ours.acse_timeout = limits.answer_seconds
    ours.dimse_timeout = limits.answer_seconds
    ours.network_timeout = limits.whole_seconds
    return ours


@contextmanager
def associated(
    target: DimseTarget,
    caller: Caller,
    contexts: Sequence["PresentationContext"],
    *,
    limits: ArchiveLimits,
    roles: Sequence["SCP_SCU_RoleSelectionNegotiation"] = (),
    on_store: Callable[["Event"], int] | None = None,
    silence: float | None = None,
) -> Iterator["Association"]:
    """Yield an association that stands; release it when the block ends.

    Parameters
    ----------
    target : DimseTarget
    caller : Caller
    contexts : sequence of PresentationContext
        At most 128.
    limits : ArchiveLimits
    roles : sequence
        Roles to negotiate, for C-GET.
    on_store : callable, optional
        Takes the C-STORE events of a C-GET.
    silence : float, optional
        Seconds without an answer that are waited; as the limits say where None.

    Raises
    ------
    ArchiveError
        If the archive is not reached, or rejects the association.
    """
    from pynetdicom import evt
    from pynetdicom.pdu import A_ASSOCIATE_RJ

    rejections: list[A_ASSOCIATE_RJ] = []

    def came(event: "Event") -> None:
        # kept here, since negotiation takes a rejection whose connection has ended meanwhile for one that never stood
        if isinstance(event.pdu, A_ASSOCIATE_RJ):
            rejections.append(event.pdu)

    handlers: list[EventHandlerType] = [*guarded(limits), (evt.EVT_PDU_RECV, came)]
    if on_store is not None:
        handlers.append((evt.EVT_C_STORE, on_store))
    ours = entity(caller, limits)
    ours.dimse_timeout = silence or limits.answer_seconds
    tls = (client_context(caller.tls), target.host) if caller.tls is not None else None
    try:
        association = ours.associate(
            target.host,
            target.port,
            contexts=list(contexts),
            ae_title=target.aet,
            ext_neg=list(roles),
            tls_args=tls,
            evt_handlers=handlers,
        )
    except (OSError, ValueError) as error:
        raise _unreached(target, limits, caller) from error
    try:
        if not association.is_established:
            raise _refused(association, rejections, target, limits, caller)
        with alone(association):
            yield association
    except BaseException:
        if association.is_established:  # a polite end would wait for what is still being sent
            association.abort()
        raise
    finally:
        if association.is_established:
            association.release()
        elif not (association.is_released or association.is_aborted or association.is_rejected):
            association.abort()


def _refused(
    association: "Association",
    rejections: Sequence["A_ASSOCIATE_RJ"],
    target: DimseTarget,
    limits: ArchiveLimits,
    caller: Caller,
) -> ArchiveError:
    if association.rejected_contexts and not association.accepted_contexts:
        return NothingAgreedError(
            "The archive does not offer the service that was asked for.",
            expected="this service in its conformance statement",
            next_step="try the other way (--retrieve get or move, or DICOMweb), or ask the archive's administrator",
        )
    if not rejections:
        return _unreached(target, limits, caller)
    source, reason = rejections[-1].source, rejections[-1].reason_diagnostic
    if (source, reason) == (_BY_USER, _CALLED):
        return ArchiveError(
            f"The archive does not know itself by the AE title {target.aet}.",
            expected="the archive's own AE title before the @",
            next_step="ask its administrator for it; capitals matter",
        )
    if (source, reason) == (_BY_USER, _CALLING):
        return ArchiveError(
            f"The archive does not know our AE title {caller.aet}.",
            expected="an AE title that the archive's administrator has entered (Orthanc: DicomModalities)",
            next_step=f"have {caller.aet} entered with this machine's address and port {caller.port}, or give --aet",
        )
    busy = source == _BY_PRESENTATION
    return ArchiveError(
        f"The archive rejected the association ({'it is busy' if busy else f'source {source}, reason {reason}'}).",
        expected="an association",
        next_step="try again later" if busy else "ask the archive's administrator; its log has the reason",
    )


def _unreached(target: DimseTarget, limits: ArchiveLimits, caller: Caller) -> ArchiveError:
    """Find out by one plain connection why there was none."""
    place = f"port {target.port} of the archive's host"
    try:
        with socket.create_connection((target.host, target.port), timeout=limits.connect_seconds):
            found = (
                "The archive is there, but encryption was not agreed on."
                if caller.tls is not None
                else "The archive took the connection and closed it without an association."
            )
    except socket.gaierror:
        found = "The host name of the archive is not known."
    except ConnectionRefusedError:
        found = f"Nothing listens on {place}: the connection was refused."
    except OSError:
        found = f"No answer from {place}."
    return ArchiveError(
        found,
        expected="a DICOM application entity" + (" that speaks TLS with a trusted certificate" if caller.tls else ""),
        next_step="check host, port, network (VPN, firewall) and whether the archive wants TLS (--tls, --tls-ca FILE)",
    )
