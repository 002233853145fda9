"""An archive over DICOMweb: QIDO-RS to search, WADO-RS to fetch, STOW-RS to store (DICOM PS3.18).

Files pass as bytes. The client library of the same purpose decodes every file on the way in and encodes it again on
the way out; here what arrives is what the archive sent, and nothing of it is parsed but the file meta group.
"""

import json
from collections.abc import Callable, Mapping, Sequence

from hounsfield.core.errors import ArchiveError, HounsfieldError, ReadError
from hounsfield.data.pacs.archive import ArchiveLimits, InstanceFound, Keep, Missed, Outgoing, SeriesFound
from hounsfield.data.pacs.multipart import only_part, wrapped
from hounsfield.data.pacs.pace import Pace
from hounsfield.data.pacs.part10 import file_meta
from hounsfield.data.pacs.question import SERIES_KEYS, STUDY_KEYS, is_uid
from hounsfield.data.pacs.web_session import Answer, WebSession

JSON = "application/dicom+json"
ANY_SYNTAX = 'multipart/related; type="application/dicom"; transfer-syntax=*'
PAGE = 500
_NOT_FOUND = 404
_STUDY, _SERIES, _INSTANCE, _CLASS = "0020000D", "0020000E", "00080018", "00080016"
_FAILED, _FAILURE = "00081198", "00081197"
_OVERHEAD = 1 << 16
_Found = Mapping[str, object]


class WebArchive:
    """A DICOMweb service.

    Parameters
    ----------
    session : WebSession
    limits : ArchiveLimits
    pace : Pace
    """

    def __init__(self, session: WebSession, *, limits: ArchiveLimits, pace: Pace) -> None:
        self._session = session
        self._limits = limits
        self._pace = pace

    def studies(self, keys: Mapping[str, str]) -> tuple[str, ...]:
        """Return the Study Instance UIDs that match."""
        params = [(STUDY_KEYS[name], value) for name, value in keys.items()]
        return tuple(self._search("/studies", params, by=_STUDY))

    def series(self, study_uid: str, keys: Mapping[str, str]) -> tuple[SeriesFound, ...]:
        """Return the series of a study that match."""
        params = [(SERIES_KEYS[name], value) for name, value in keys.items()]
        params += [("includefield", tag) for tag in SERIES_KEYS.values()]
        found = self._search(f"/studies/{study_uid}/series", params, by=_SERIES)
        return tuple(
            SeriesFound(study_uid, uid, {k: v for k, t in SERIES_KEYS.items() if (v := _value(told, t))})
            for uid, told in found.items()
        )

    def instances(self, series: SeriesFound) -> tuple[InstanceFound, ...]:
        """Return all instances of a series."""
        found = self._search(
            f"/studies/{series.study_uid}/series/{series.series_uid}/instances", [], by=_INSTANCE, unknown=True
        )
        return tuple(InstanceFound(uid, _value(told, _CLASS)) for uid, told in found.items())

    def fetch(
        self, series: SeriesFound, wanted: Sequence[InstanceFound], keep: Keep, *, whole: bool
    ) -> tuple[Missed, ...]:
        """Fetch one instance after the other, in the transfer syntax in which it is stored."""
        del whole  # one request for each instance, so that an interruption costs one
        missed = []
        for instance in wanted:
            self._pace.wait()
            path = f"/studies/{series.study_uid}/series/{series.series_uid}/instances/{instance.sop_uid}"
            most = self._limits.instance_bytes + _OVERHEAD
            answer = self._session.get(path, [], accept=ANY_SYNTAX, most=most)
            try:
                keep(instance.sop_uid, _file_in(answer, instance.sop_uid))
            except ReadError as error:
                missed.append(Missed(instance.sop_uid, error.found))
        return tuple(missed)

    def send(self, files: Sequence[Outgoing], sent: Callable[[Outgoing], None]) -> tuple[Missed, ...]:
        """Store one file after the other."""
        missed = []
        for file in files:
            self._pace.wait()
            body, kind = wrapped(file.path.read_bytes())
            answer = self._session.post("/studies", body, content_type=kind, accept=JSON)
            if reason := _refusal(answer):
                missed.append(Missed(file.sop_uid, reason))
            else:
                sent(file)
        return tuple(missed)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _search(self, path: str, params: list[tuple[str, str]], *, by: str, unknown: bool = False) -> dict[str, _Found]:
        """Return matches by UID, page after page, until a page brings nothing new; `unknown`: 404 means none."""
        found: dict[str, _Found] = {}
        while len(found) <= self._limits.matches:
            paged = [*params, ("limit", str(PAGE)), ("offset", str(len(found)))]
            answer = self._session.get(path, paged, accept=JSON, most=self._limits.answer_bytes)
            page = [] if unknown and answer.status == _NOT_FOUND else _matches(answer)
            fresh = {uid: told for told in page if is_uid(uid := _value(told, by)) and uid not in found}
            found.update(fresh)
            if not fresh or (len(page) < PAGE and not answer.more):
                return found
        raise ArchiveError(
            f"More than {self._limits.matches} matches.",
            expected="a narrower query",
            next_step="add keys to --query, such as a range of StudyDate",
        )


def _matches(answer: Answer) -> list[_Found]:
    if answer.status == 204:
        return []
    if answer.status != 200:
        raise ArchiveError(
            f"The archive does not answer a search (HTTP {answer.status}).",
            expected="a DICOMweb service (QIDO-RS) at this address",
            next_step="check the path of the URL: Orthanc's ends in /dicom-web, dcm4chee's in /aets/NAME/rs",
        )
    try:
        told = json.loads(answer.content or b"[]")
    except (ValueError, RecursionError) as error:
        raise _not_json() from error
    if isinstance(told, dict):
        told = [told]
    if not isinstance(told, list) or not all(isinstance(t, dict) for t in told):
        raise _not_json()
    return told


def _not_json() -> ArchiveError:
    return ArchiveError(
        "The archive's answer to a search cannot be understood.",
        expected=f"a list as {JSON}",
        next_step="check the path of the URL: Orthanc's ends in /dicom-web, dcm4chee's in /aets/NAME/rs",
    )


def _value(told: _Found, tag: str) -> str:
    """Return the first value of an attribute in DICOM JSON, empty where there is none."""
    attribute = told.get(tag)
    values = attribute.get("Value") if isinstance(attribute, dict) else None
    first = values[0] if isinstance(values, list) and values else ""
    return str(first) if isinstance(first, str | int | float) else ""


def _file_in(answer: Answer, sop_uid: str) -> bytes:
    if answer.status != 200:
        raise ReadError(f"the archive answered HTTP {answer.status}")
    try:
        content = only_part(answer.content, answer.content_type)
        meta = file_meta(content)
    except HounsfieldError as error:
        raise ReadError(error.found) from error
    if meta.sop_uid != sop_uid:
        raise ReadError("the archive sent another instance than was asked for")
    return content


def _refusal(answer: Answer) -> str:
    """Return why a file was not stored, empty where it was."""
    try:
        told = json.loads(answer.content or b"{}")
    except (ValueError, RecursionError):
        told = {}
    told = told[0] if isinstance(told, list) and told else told
    failed = told.get(_FAILED) if isinstance(told, dict) else None
    items = failed.get("Value") if isinstance(failed, dict) else None
    if isinstance(items, list) and items:
        code = _value(items[0], _FAILURE) if isinstance(items[0], dict) else ""
        return f"the archive does not store it (failure reason {code or 'not told'})"
    if answer.status in (200, 202):
        return ""
    return f"the archive answered HTTP {answer.status}" + (": is the file damaged?" if answer.status == 400 else "")
