"""WFDB: comments, dates and record names of headers and annotations; signal files pass with their record's new name."""

import re
from datetime import date, timedelta
from pathlib import Path

from hounsfield.core.errors import ReadError
from hounsfield.data.protocols import Scrubbed
from hounsfield.data.scrubbers.naming import pseudonymous_name, pseudonymous_path
from hounsfield.data.scrubbers.order import ScrubOrder
from hounsfield.data.scrubbers.told import readable, told

SHIFT_DATES, KEEP_CHARACTERISTICS = "shift-dates", "keep-characteristics"
MAX_BYTES = 2 << 30
_RECORD = re.compile(rb"^(?:[ \t]*#[^\n]*\r?\n|\s)*[^\s/#]+(?:/\d+)?[ \t]+\d+(?:[ \t]+[\d.]+|[ \t]*\r?\n|[ \t]*$)")
_SIGNALS = (".dat", ".mat")
_ANNOTATIONS = (".atr", ".qrs", ".ecg", ".ari", ".ann", ".xws", ".win", ".apn", ".st", ".wabp", ".atr_avf")
_CHARACTERISTICS = re.compile(
    r"\s*<?(?P<what>age|sex|gender)>?\s*:\s*(?P<value>\d{1,3}|m|f|male|female)\s*", re.IGNORECASE
)
_RHYTHM = re.compile(rb"\([A-Z]{1,6}[0-9+]*\0*")
_RESOLUTION = re.compile(rb"## time resolution: [\d.]+\0*")
_SKIP, _AUX, _LONG = 59, 63, 4
_DESCRIPTION = re.compile(r"(?!.*\d{4})[\w .,+\-/()#%]{0,32}")


class WfdbScrubber:
    """Treats the files of a record alike: one new name, by which each header still finds its signals.

    Notes
    -----
    ``.hea``: comments go (age and sex stay with ``keep-characteristics``), the date is shifted by record or goes, names
    of records, segments and signal files are replaced. Annotation files: texts that are neither a rhythm nor the time
    resolution become zeros. ``.dat`` and ``.mat`` pass as they are where a header in the same folder names them.
    ``RECORDS`` lists the new names.
    """

    def sniff(self, head: bytes, name: str) -> bool:
        """Tell a header by its record line; signals and annotations have no signature, so their names tell."""
        end = Path(name).suffix.lower()
        if end == ".hea":
            return _RECORD.match(head) is not None
        return end in _SIGNALS or end in _ANNOTATIONS or name == "RECORDS"

    def scrub(self, source: Path, order: ScrubOrder) -> Scrubbed:
        """Return one file of a record; raise ReadError where it is damaged."""
        if source.stat().st_size > MAX_BYTES:
            return Scrubbed(None, withheld="a recording of more than 2 GiB")
        end = source.suffix.lower()
        if end == ".hea":
            return _header(source, order)
        data = source.read_bytes()
        if source.name == "RECORDS":
            lines = data.decode("utf-8", "replace").splitlines()
            made = "".join(pseudonymous_path(line.strip(), order.pseudonyms) + "\n" for line in lines)
            return Scrubbed(made.encode(), removed=("record names",), texts=tuple(lines))
        if end in _SIGNALS:
            if not _named_by_header(source):
                return Scrubbed(None, withheld="a signal file that no header beside it names")
            if data.startswith(b"MATLAB"):
                return Scrubbed(None, withheld="a MATLAB file of version 5 or later; it may hold any text")
            return Scrubbed(data)
        return _annotations(data)


def _header(source: Path, order: ScrubOrder) -> Scrubbed:
    lines = source.read_bytes().decode("utf-8", "replace").splitlines()
    out: list[str] = []
    identifiers: list[str] = [source.stem]
    texts: list[str] = []
    removed: list[str] = ["record names"]
    segments = 0
    record = ""
    for line in lines:
        if line.lstrip().startswith("#"):
            comment = line.lstrip().lstrip("#")
            known = _CHARACTERISTICS.fullmatch(comment)
            if known and order.asks(KEEP_CHARACTERISTICS):
                old = known["value"].isdigit() and int(known["value"]) > 89
                out.append(f"#{known['what']}: {90 if old else known['value']}")
            else:
                texts.append(comment)
                removed.append("comments")
        elif not line.strip():
            continue
        elif not record:
            words = line.split()
            record, _, count = words[0].partition("/")
            segments = int(count) if count.isdigit() else 0
            new = pseudonymous_name(record, order.pseudonyms) + (f"/{count}" if count else "")
            day = words[5] if len(words) > 5 else ""
            shifted = _shifted(day, record, order)
            if day:
                identifiers.append(day)
                removed.append("date")
            out.append(" ".join([new, *(words[1:5] if shifted else words[1:4]), *([shifted] if shifted else [])]))
            if len(words) > 6:
                texts.append(" ".join(words[6:]))
        else:
            out.append(_line(line, order, texts, segments=segments))
    if not record:
        raise ReadError("The header names no record.", expected="a WFDB header", next_step="copy it again")
    identifiers.append(record)
    numbers, words_told = told(texts)
    return Scrubbed(
        ("\n".join(out) + "\n").encode(),
        removed=tuple(dict.fromkeys(removed)),
        identifiers=(*dict.fromkeys(identifiers), *numbers),
        texts=words_told,
    )


def _line(line: str, order: ScrubOrder, texts: list[str], *, segments: int) -> str:
    """Return a line of a signal or a segment with the new name of its file."""
    if segments:
        name, _, rest = line.strip().partition(" ")
        return f"{name if name == '~' else pseudonymous_name(name, order.pseudonyms)} {rest.strip()}".strip()
    words = line.split(None, 8)
    file = words[0] if words[0] in ("-", "~") else pseudonymous_name(words[0], order.pseudonyms)
    if len(words) == 9 and not _DESCRIPTION.fullmatch(words[8].strip()):
        texts.append(words[8])
        words[8] = "signal"
    return " ".join([file, *words[1:]]).rstrip()


def _shifted(day: str, record: str, order: ScrubOrder) -> str:
    found = re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", day)
    if found is None or not order.asks(SHIFT_DATES):
        return ""
    try:
        moved = date(int(found[3]), int(found[2]), int(found[1])) + timedelta(days=order.pseudonyms.days(record))
    except (ValueError, OverflowError):
        return ""
    return f"{moved:%d/%m/%Y}"


def _named_by_header(source: Path) -> bool:
    """Tell whether a header in the folder names a signal file; other data have such endings, too."""
    for header in sorted(source.parent.glob("*.hea")):
        if source.name in header.read_text("utf-8", "replace").split():
            return True
    return False


def _annotations(data: bytes) -> Scrubbed:
    """Zero the texts of an annotation file in MIT format that name neither a rhythm nor the time resolution."""
    out, gone, at = bytearray(data), [], 0
    while at + 2 <= len(data):
        word = int.from_bytes(data[at : at + 2], "little")
        kind, amount = word >> 10, word & 0x3FF
        at += 2
        if word == 0:
            break
        if kind == _SKIP:
            at += _LONG
        elif kind == _AUX:
            text = data[at : at + amount]
            if len(text) < amount:
                raise ReadError("The annotation file is damaged.", expected="MIT format", next_step="copy it again")
            if text.strip(b"\0") and not _RHYTHM.fullmatch(text) and not _RESOLUTION.fullmatch(text):
                gone += readable(text)
                out[at : at + amount] = bytes(amount)
            at += amount + amount % 2
    if data[at:].strip(b"\0"):
        gone += readable(data[at:])
        del out[at:]
    numbers, texts = told(gone)
    return Scrubbed(bytes(out), removed=("annotation texts",) if gone else (), identifiers=numbers, texts=texts)
