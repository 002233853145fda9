"""An archive over DICOMweb: QIDO-RS to search, WADO-RS to fetch, STOW-RS to store (DICOM PS3.18).

Files pass as bytes. The client library of the same purpose decodes every file on the way in and encodes it again on
the way out; here what arrives is what the archive sent, and nothing of it is parsed but the file meta group.
"""

import json
from collections.abc import Callable, Mapping, Sequence

from hounsfield.core.errors import ArchiveError, ReadError
from hounsfield.data.pacs.archive import (
    ArchiveLimits,
    InstanceFound,
    Keep,
    Missed,
    Outgoing,
    SeriesFound,
    TooLargeError,
    too_large,
)
from hounsfield.data.pacs.asked_for import check_asked_for, contradicts
from hounsfield.data.pacs.multipart import only_part, wrapped
from hounsfield.data.pacs.pace import Pace
from hounsfield.data.pacs.question import SERIES_KEYS, STUDY_KEYS, is_uid
from hounsfield.data.pacs.web_session import Answer, WebSession, check_allowed

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
        self.passed_over = 0

    def studies(self, keys: Mapping[str, str]) -> tuple[str, ...]:
        """Return the Study Instance UIDs that match."""
        params = [(STUDY_KEYS[name], value) for name, value in keys.items()]
        found = self._search("/studies", params, by=_STUDY)
        return tuple(uid for uid, told in found.items() if self._meant(_told(told, STUDY_KEYS), keys))

    def series(self, study_uid: str, keys: Mapping[str, str]) -> tuple[SeriesFound, ...]:
        """Return the series of a study that match."""
        params = [(SERIES_KEYS[name], value) for name, value in keys.items()]
        params += [("includefield", tag) for tag in SERIES_KEYS.values()]
        found = self._search(f"/studies/{study_uid}/series", params, by=_SERIES)
        series = [SeriesFound(study_uid, uid, _told(told, SERIES_KEYS)) for uid, told in found.items()]
        return tuple(one for one in series if self._meant(one.told, keys))

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
            try:
                answer = self._session.get(path, [], accept=ANY_SYNTAX, most=most)
                content = _file_in(answer, series, instance.sop_uid)
            except TooLargeError:
                missed.append(Missed(instance.sop_uid, too_large(self._limits)))
            except ReadError as error:
                missed.append(Missed(instance.sop_uid, error.found))
            else:
                keep(instance.sop_uid, content)
        return tuple(missed)

    def send(self, files: Sequence[Outgoing], sent: Callable[[Outgoing], None]) -> tuple[Missed, ...]:
        """Store one file after the other."""
        missed = []
        for file in files:
            self._pace.wait()
            try:
                body, kind = wrapped(file.path.read_bytes())
            except OSError as error:
                missed.append(Missed(file.sop_uid, f"it cannot be read ({error.strerror})"))
                continue
            answer = self._session.post("/studies", body, content_type=kind, accept=JSON)
            check_allowed(answer.status)
            if reason := _refusal(answer):
                missed.append(Missed(file.sop_uid, reason))
            else:
                sent(file)
        return tuple(missed)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _meant(self, told: Mapping[str, str], keys: Mapping[str, str]) -> bool:
        """Tell whether a match is one, and count those that are none."""
        none = contradicts(told, keys)
        self.passed_over += none
        return not none

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
    check_allowed(answer.status)
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


def _told(told: _Found, keys: Mapping[str, str]) -> dict[str, str]:
    """Return what was told, by keyword; several values with a backslash between."""
    found = {}
    for name, tag in keys.items():
        attribute = told.get(tag)
        values = attribute.get("Value") if isinstance(attribute, dict) else None
        if isinstance(values, list) and (text := "\\".join(str(v) for v in values if isinstance(v, str | int | float))):
            found[name] = text
    return found


def _value(told: _Found, tag: str) -> str:
    """Return the first value of an attribute in DICOM JSON, empty where there is none."""
    attribute = told.get(tag)
    values = attribute.get("Value") if isinstance(attribute, dict) else None
    first = values[0] if isinstance(values, list) and values else ""
    return str(first) if isinstance(first, str | int | float) else ""


def _file_in(answer: Answer, series: SeriesFound, sop_uid: str) -> bytes:
    if answer.status != 200:
        raise ReadError(f"the archive answered HTTP {answer.status}")
    content = only_part(answer.content, answer.content_type)
    check_asked_for(content, series, sop_uid)
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
