"""What a column of a table tells of a person, by the words of its header and by its cells."""

import re
from collections.abc import Sequence
from enum import Enum

from hounsfield.data.files import IMAGE_ENDINGS, ending
from hounsfield.data.words import group_strength, is_attribute, is_record, part_of, target_strength, tokens


class Meaning(Enum):
    """How a column is treated."""

    KEEP = "kept"
    AGE = "age, 90 for all above 89"
    PATIENT = "patients, pseudonyms"
    ACCESSION = "accession numbers, pseudonyms"
    UID = "UIDs, pseudonyms"
    CODE = "numbers, pseudonyms"
    PATH = "file names, pseudonyms"
    REF = "references to files, pseudonyms"
    DATE = "dates"
    BIRTH = "birth dates, removed"
    NAME = "names, removed"
    PHONE = "phone numbers, removed"
    MAIL = "addresses of mail or web, removed"
    ADDRESS = "addresses, removed"
    TEXT = "free text, removed"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NAME = _words(
    "name names surname lastname firstname forename middlename fullname initials maiden vorname nachname nom prenom "
    "prénom nombre apellido apellidos physician doctor doktor arzt operator technician technologist radiologist "
    "referrer nurse author clinician surgeon creator owner user username reader rater reviewer "
    "reporter observer guardian mother father spouse "
    "initials 姓名 医生 技师 名字 患者姓名 氏名 имя фамилия"
)
_OF_THINGS = _words(
    "file image img class label series study column dataset drug model manufacturer variable feature organ body part "
    "sequence protocol kernel disease scanner device channel lead test site"
)
_BIRTH = _words(
    "birth dob birthdate birthday birthdate dateofbirth geburt geburtsdatum geburtstag naissance "
    "nacimiento 生日 出生日期"
)
_DATE = _words("date datetime timestamp datum fecha fechas scandate studydate visitdate 日期 时间 дата")
_PHONE = _words("phone telephone tel mobile fax telefon handy telefono teléfono téléphone 电话 手机")
_MAIL = _words("mail email e-mail url website web ip homepage 邮箱")
_ADDRESS = _words(
    "address street city town zip zipcode postcode postal plz ort strasse straße adresse ville rue county district "
    "village latitude longitude lat lon gps geo employer occupation 地址 住址 邮编"
)
_TEXT = _words(
    "note notes comment comments remark remarks report impression history anamnesis narrative description details "
    "indication letter text freetext bemerkung bemerkungen kommentar befund beschreibung anamnese 备注 报告 描述 病史"
)
_ACCESSION = _words("accession accessionnumber accession_number 检查号")
_ID = _words(
    "id ids mrn pid ssn nhs uid case record records subject patient participant person fallnummer patientennummer "
    "insurance versicherungsnummer passport license plate encounter order chart admission episode visitid serial "
    "病历号 住院号 身份证 编号 患者编号"
)
_CODES = _words("ssn insurance passport license plate encounter order chart admission episode serial visitid nhs")
_COUNTS = frozenset({"n", "num", "number", "count", "counts", "total", "sum", "mean", "std", "class", "type", "status"})
_WORD_FORM = re.compile(r"[^\W\d_]{2,}[.,]?(?:[ \-'^,]+[^\W\d_]+\.?){1,3}")
_MAIL_FORM = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]{2,}|https?://\S+|(?:\d{1,3}\.){3}\d{1,3}")
_PHONE_FORM = re.compile(r"(?=(?:\D*\d){7,15}\D*$)(?:\+|00)?\(?\d{1,5}\)?(?:[ \-/.]\(?\d{2,}\)?){1,5}|\+\d{7,15}")
_CARET_FORM = re.compile(r"[^\W\d_][^\d^]*\^[^\d^]*(?:\^[^^]*)*")
_UID_FORM = re.compile(r"[0-2](?:\.(?:0|[1-9]\d*)){4,}|2\.25\.[1-9]\d{9,38}")
_STANDARD_UID = re.compile(r"1\.2\.840\.10008(?:\.(?:0|[1-9]\d*))+")
_NUMBER_FORM = re.compile(r"[-+]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][-+]?\d+)?")
_DATE_FORM = re.compile(
    r"\d{4}([-/.])\d{1,2}\1\d{1,2}(?:[T ].*)?|\d{1,2}([-/.])\d{1,2}\2(?:\d{4}|\d{2})(?:[T ].*)?|"
    r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:\d{4,6})?|"
    r"\d{1,2}[-. ]+[^\W\d_]{3,10}[-., ]+\d{2,4}|[^\W\d_]{3,10}\.? \d{1,2}, \d{4}|\d{4}年\d{1,2}月\d{1,2}日"
)
_CODE_FORM = re.compile(r"(?=.*\d)[\w.\-]+")
_MOST_CLASSES = 20
_OF_SAMPLES: dict[str, Meaning | None] = {
    "input": Meaning.REF, "mask": Meaning.REF, "region": Meaning.REF, "target": Meaning.KEEP, "attribute": None,
    "record": None, "opinion": None,
}  # fmt: skip
"""What stands before the colon in a header of ``samples.csv``; None where the name behind it decides."""


def meaning_of(header: str, cells: Sequence[str]) -> Meaning:
    """Return what a column tells; that of a list of samples by the word before its colon.

    Parameters
    ----------
    header : str
        Empty where the table has none.
    cells : sequence of str
        Its cells as text, empty ones left out.
    """
    kind, mark, name = header.partition(":")
    if mark and kind in _OF_SAMPLES:
        return _OF_SAMPLES[kind] or meaning_of(name, cells)
    if _share(_UID_FORM, cells) > 0.5:
        return Meaning.UID  # whatever the header calls them, they must join the images
    by_name = _by_header(header)
    if by_name is not None and not (
        by_name in (Meaning.DATE, Meaning.NAME) and _all_numbers(cells) and not _share(_DATE_FORM, cells)
    ):
        return by_name
    return _by_cells(header, cells)


def identifies_alone(cell: str) -> bool:
    """Tell whether a cell of a column that is kept identifies by its form: mail, phone, a name with carets, a date."""
    forms = (_MAIL_FORM, _PHONE_FORM, _CARET_FORM, _DATE_FORM, _UID_FORM)
    return not _NUMBER_FORM.fullmatch(cell) and any(f.fullmatch(cell) for f in forms)


def is_standard_uid(cell: str) -> bool:
    """Tell whether a UID is one of DICOM's own, for a kind of object or an encoding: it stays in images, too."""
    return _STANDARD_UID.fullmatch(cell) is not None


def is_header(cells: Sequence[str]) -> bool:
    """Tell whether a first row names columns rather than being a row: no number, date, mail or file among it."""
    named = [c for c in cells if c.strip()]
    return bool(named) and not any(
        _NUMBER_FORM.fullmatch(c) or identifies_alone(c) or ending(c) in IMAGE_ENDINGS or "^" in c for c in named
    )


def _by_header(header: str) -> Meaning | None:
    words = set(tokens(header)) | set(header.casefold().replace("_", " ").split()) | {header.strip().casefold()}
    joined = "".join(tokens(header))
    words.add(joined)
    found: Meaning | None = None
    if words & _BIRTH:
        found = Meaning.BIRTH
    elif words & _ACCESSION:
        found = Meaning.ACCESSION
    elif words & _PHONE:
        found = Meaning.PHONE
    elif words & _MAIL:
        found = Meaning.MAIL
    elif words & {"uid"}:
        found = Meaning.UID
    elif words & _NAME and not words & _OF_THINGS:
        found = Meaning.NAME
    elif words & _DATE:
        found = Meaning.DATE
    elif words & {"age", "alter", "年龄"}:
        found = Meaning.AGE
    elif group_strength(header) == 2 or (words & _ID and not words & _COUNTS):
        found = Meaning.CODE if words & _CODES else Meaning.PATIENT
    elif words & _ADDRESS and not words & {"left", "ap", "pa"}:
        found = Meaning.ADDRESS
    elif words & _TEXT:
        found = Meaning.TEXT
    return found


def _by_cells(header: str, cells: Sequence[str]) -> Meaning:
    if not cells:
        return Meaning.KEEP
    for form, meaning in (
        (_MAIL_FORM, Meaning.MAIL),
        (_CARET_FORM, Meaning.NAME),
        (_DATE_FORM, Meaning.DATE),
    ):
        if _share(form, cells) > 0.5:
            return meaning
    if sum(ending(c) in IMAGE_ENDINGS or "/" in c for c in cells) > 0.5 * len(cells) and not _all_numbers(cells):
        return Meaning.PATH
    distinct = len(set(cells))
    if _all_numbers(cells):
        whole = all(c.isdigit() for c in cells)
        same = len({len(c) for c in cells}) == 1 and len(cells[0]) >= 6
        return (
            Meaning.PATIENT
            if whole and same and distinct > 0.5 * len(cells) and not is_record(header)
            else Meaning.KEEP
        )
    return _of_texts(header, cells)


def _of_texts(header: str, cells: Sequence[str]) -> Meaning:
    """Return what a column of other texts tells: classes come again, texts of persons nearly all differ."""
    distinct = len(set(cells))
    if _share(_PHONE_FORM, cells) > 0.5:
        return Meaning.PHONE
    if any(len(c) > 60 or len(c.split()) > 6 for c in cells):
        return Meaning.TEXT
    known = bool(header) and (target_strength(header) >= 2.0 or is_attribute(header) or is_record(header))
    few = distinct <= _MOST_CLASSES and distinct <= max(3, len(cells) // 2)
    if known or few or all(part_of(c) for c in set(cells)):
        return Meaning.KEEP
    if _share(_WORD_FORM, cells) > 0.5:
        return Meaning.NAME
    return Meaning.PATIENT if all(_CODE_FORM.fullmatch(c) for c in cells) else Meaning.TEXT


def _all_numbers(cells: Sequence[str]) -> bool:
    return bool(cells) and all(_NUMBER_FORM.fullmatch(c) for c in cells)


def _share(form: re.Pattern[str], cells: Sequence[str]) -> float:
    return sum(form.fullmatch(c) is not None for c in cells) / max(len(cells), 1)
