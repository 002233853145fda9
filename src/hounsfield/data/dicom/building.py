"""Makes a pydicom data set of a walked tree, in which no access can raise what a file was made to raise."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast, overload

from pydicom.charset import convert_encodings, default_encoding
from pydicom.config import logger
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag, Tag, TagType
from pydicom.valuerep import VR

from hounsfield.data.dicom.limits import LIMITS
from hounsfield.data.dicom.walking import UNDEFINED, Coding, Damage, Element, Level, Walker

_CHARSET = 0x00080005


class SafeDataset(Dataset):
    """A data set whose values may be of any kind, but never raise when they are looked at.

    A value that its VR does not allow is handed out as bytes with VR UN. Private sequences written without VR are
    walked within the limits before they are taken apart.
    """

    @overload
    def __getitem__(self, key: slice) -> Dataset: ...
    @overload
    def __getitem__(self, key: TagType) -> DataElement: ...
    def __getitem__(self, key: "slice | TagType") -> "Dataset | DataElement":
        """Return one element, converted, or a slice."""
        if isinstance(key, slice):
            return super().__getitem__(key)
        tag = key if isinstance(key, BaseTag) else _tag(key)
        raw = self._dict[tag]
        if not isinstance(raw, RawDataElement):
            return super().__getitem__(tag)
        with _silence():
            try:
                element = _private_sequence(raw, self) or super().__getitem__(tag)
                _ = element.value
            except Exception:  # converters raise what they like on damaged bytes: all of it means "not this VR"
                element = DataElement(tag, VR.UN, raw.value or b"", raw.value_tell)
            self._dict[tag] = element
        return element


class SafeFileDataset(SafeDataset, FileDataset):
    """A whole file as a `SafeDataset`.

    Attributes
    ----------
    case : str
        What messages call it: a hash, never a name.
    """

    case: str = ""


@contextmanager
def _silence() -> Iterator[None]:
    """Keep pydicom from warning and logging, which it does with the value that it complains of."""
    before = logger.disabled
    logger.disabled = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.disabled = before


def _tag(key: TagType) -> BaseTag:
    try:
        return Tag(key)
    except (ValueError, TypeError, OverflowError) as error:  # what pydicom documents for whatever is no tag
        raise KeyError(f"'{key}'") from error


def file_dataset(data: bytes, meta: Level, top: Level, *, preamble: bytes | None) -> SafeFileDataset:
    """Return the data set of a file from the trees of its meta group and its body.

    Parameters
    ----------
    data : bytes
        What the trees were walked in.
    meta, top : Level
        The trees.
    preamble : bytes or None
        The 128 bytes before the file meta.
    """
    with _silence():
        head = FileMetaDataset()
        for tag, element in meta.elements.items():
            try:
                head[BaseTag(tag)] = _converted(data, element)
            except Exception:  # noqa: S112  converters of values raise what they like: as if it were missing
                continue
        body = _dataset(data, top, default_encoding)
        whole = SafeFileDataset(
            "", body, preamble, head, is_implicit_VR=top.coding.implicit, is_little_endian=top.coding.little
        )
    whole.filename = None
    whole.set_original_encoding(top.coding.implicit, top.coding.little, body.original_character_set)
    return whole


def _dataset(data: bytes, level: Level, encoding: str | list[str]) -> SafeDataset:
    """Return one level as a data set; sequences are complete, other values are converted when they are asked for."""
    elements: dict[BaseTag, DataElement | RawDataElement] = {}
    own = level.elements.get(_CHARSET)
    outer = encoding
    if own is not None and own.items is None:
        encoding = _encodings(data, own, encoding)
    for number, element in level.elements.items():
        tag = BaseTag(number)
        if element.items is None:
            elements[tag] = _raw(data, element, level.coding)
        else:
            elements[tag] = _sequence(data, element, encoding)
    dataset = SafeDataset(elements, parent_encoding=outer)
    dataset.set_original_encoding(level.coding.implicit, level.coding.little, encoding)
    dataset.is_undefined_length_sequence_item = level.undefined
    return dataset


def _sequence(data: bytes, element: Element, encoding: str | list[str]) -> DataElement:
    items = [_dataset(data, level, encoding) for level in element.items or ()]
    sequence = Sequence(items)
    undefined = element.claimed == UNDEFINED
    sequence.is_undefined_length = undefined
    return DataElement(BaseTag(element.tag), VR.SQ, sequence, element.start, undefined, already_converted=True)


def _raw(data: bytes, element: Element, coding: Coding) -> RawDataElement:
    value = data[element.start : element.start + element.length]
    return RawDataElement(
        BaseTag(element.tag), element.vr, element.claimed, value, element.start, element.implicit, coding.little
    )


def _converted(data: bytes, element: Element) -> DataElement:
    from pydicom.dataelem import convert_raw_data_element

    return convert_raw_data_element(_raw(data, element, Coding(False, True)))


def _encodings(data: bytes, element: Element, fallback: str | list[str]) -> str | list[str]:
    """Return Python's names of the character sets that a level states; the outer ones where it states nonsense."""
    text = data[element.start : element.start + min(element.length, 512)].decode("ascii", "replace")
    try:
        return convert_encodings([part.strip("\0 ") for part in text.split("\\")])
    except (LookupError, ValueError, TypeError):  # unknown names, by pydicom's settings
        return fallback


def _private_sequence(raw: RawDataElement, dataset: Dataset) -> DataElement | None:
    """Take apart a private sequence that was written without its VR, where pydicom's dictionary knows it as one."""
    if raw.VR not in (None, "UN") or not raw.tag.is_private or not raw.value:
        return None
    from pydicom.datadict import private_dictionary_VR

    creator = dataset.get_item(BaseTag(raw.tag & 0xFFFF0000 | raw.tag.element >> 8)) if raw.tag.element > 0xFF else None
    name = creator.value if creator is not None else None
    if isinstance(name, bytes):
        name = name.decode("ascii", "replace").rstrip("\0 ")
    try:
        if name is None or private_dictionary_VR(raw.tag, str(name)) != "SQ":
            return None
    except KeyError:
        return None
    coding = Coding(True, True if raw.VR == "UN" else raw.is_little_endian)
    walker = Walker(raw.value, len(raw.value), LIMITS)
    try:
        items = walker.items(coding)
    except Damage:
        return DataElement(raw.tag, VR.UN, raw.value)
    encoding = cast("str | list[str]", dataset.original_character_set)
    element = Element(int(raw.tag), "SQ", raw.value_tell, raw.length, raw.length, True, items)
    return _sequence(raw.value, element, encoding)
