"""Reports: the text of a structured report or an encapsulated document, as plain lines."""

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from hounsfield.core.errors import ReadError
from hounsfield.data.dicom.fields import first, items, text
from hounsfield.data.dicom.masks import code_of

if TYPE_CHECKING:
    from pydicom import Dataset

_DEEPEST = 32
_MOST_ITEMS = 20_000
_MOST_CHARACTERS = 2_000_000
_LEFT_OUT = frozenset({"PNAME", "UIDREF"})
"""Names of persons and identifiers: never the finding, always the patient's or the reader's."""
_POINTERS = {"IMAGE": "(image)", "WAVEFORM": "(waveform)", "COMPOSITE": "(object)", "SCOORD": "(outline)"}


def report_text(dataset: "Dataset") -> str:
    """Return the text of a structured report or of an encapsulated text document.

    Parameters
    ----------
    dataset : pydicom.Dataset
        The report.

    Returns
    -------
    str
        One line for every item, ``name: value``, indented by its depth. Names of persons and identifiers are left
        out; free text stays as it was written, so the result still belongs to the patient.

    Raises
    ------
    ReadError
        If the object holds no text: a PDF, or no content at all.

    Notes
    -----
    At most 32 levels and 20,000 items are read; a report that goes on says so in its last line.
    """
    if dataset.get("EncapsulatedDocument") is not None:
        return _encapsulated(dataset)
    lines: list[str] = []
    whole = _written(dataset, lines)
    if not lines:
        raise ReadError(
            "A report has no content.", expected="a content tree, or an encapsulated text", next_step="leave it out"
        )
    return "\n".join(lines if whole else [*lines, "(the report goes on)"])[:_MOST_CHARACTERS]


def report_items(dataset: "Dataset") -> "Iterator[Dataset]":
    """Return the items of a report's content tree in reading order, at most 20,000 of at most 32 levels."""
    for item, _, _ in _walk(dataset):
        yield item


def _written(dataset: "Dataset", lines: list[str]) -> bool:
    """Write the items in reading order; return whether all of them were written."""
    whole = True
    for count, (item, depth, cut) in enumerate(_walk(dataset), start=1):
        line = _line(item)
        if line:
            lines.append("  " * depth + line)
        whole = whole and not cut and count < _MOST_ITEMS
    return whole


def _walk(dataset: "Dataset") -> "Iterator[tuple[Dataset, int, bool]]":
    """Return items, their depth, and whether what lies in them is left out, in reading order."""
    waiting = [(dataset, 0)]
    for _ in range(_MOST_ITEMS):
        if not waiting:
            return
        item, depth = waiting.pop()
        inner = items(item, "ContentSequence")
        cut = bool(inner) and depth >= _DEEPEST
        yield item, depth, cut
        if not cut:
            waiting += [(i, depth + 1) for i in reversed(inner)]


def _line(item: "Dataset") -> str:
    kind = text(item.get("ValueType")).upper()
    if kind in _LEFT_OUT:
        return ""
    name, value = _meaning(item, "ConceptNameCodeSequence"), _value(item, kind)
    return ": ".join(part for part in (name, value) if part)


def _value(item: "Dataset", kind: str) -> str:
    if kind == "CODE":
        return _meaning(item, "ConceptCodeSequence")
    if kind == "NUM":
        return _measured(item)
    keyword = {"TEXT": "TextValue", "DATE": "Date", "TIME": "Time", "DATETIME": "DateTime"}.get(kind)
    if keyword:
        return " ".join(text(item.get(keyword)).split())
    return _POINTERS.get(kind, "")


def _measured(item: "Dataset") -> str:
    measured = first(item, "MeasuredValueSequence")
    if measured is None:
        return _meaning(item, "NumericValueQualifierCodeSequence")
    unit = code_of(measured, "MeasurementUnitsCodeSequence")
    shown = text(measured.get("NumericValue"))
    return shown if unit is None or unit.value in ("", "1", "{no units}") else f"{shown} {unit.value}".strip()


def _meaning(item: "Dataset", keyword: str) -> str:
    code = code_of(item, keyword)
    return " ".join((code.meaning or code.value).split()) if code else ""


def _encapsulated(dataset: "Dataset") -> str:
    kind = text(dataset.get("MIMETypeOfEncapsulatedDocument")).lower()
    held: object = dataset.get("EncapsulatedDocument")
    raw = (held if isinstance(held, bytes) else text(held).encode())[:_MOST_CHARACTERS]
    if not kind.startswith("text/"):
        raise ReadError(
            f"An encapsulated document is {kind or 'of no stated kind'}.",
            expected="text/plain or text/xml",
            next_step="convert it to text outside, or leave it out",
        )
    try:
        written = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        written = raw.decode("latin-1")
    written = written.rstrip("\0 ")
    return _without_tags(written) if "xml" in kind or "html" in kind else written


class _Words(HTMLParser):
    """Collects what stands between tags; it knows no entities that could grow."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.words.append(" ".join(data.split()))


def _without_tags(marked: str) -> str:
    parser = _Words()
    parser.feed(marked)
    parser.close()
    return "\n".join(parser.words)
