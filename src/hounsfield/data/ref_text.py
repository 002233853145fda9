"""Refs as one text, as ``samples.csv`` holds them."""

import json

from hounsfield.core.cohort import Ref
from hounsfield.data.files import reader_by_ending


def ref_text(ref: Ref) -> str:
    """Return a ref as one text: a plain path where its ending tells the reader."""
    path = ref.path.replace("%", "%25").replace("|", "%7C")
    if not ref.part and ref.reader == reader_by_ending(ref.path) and path == ref.path and not path.startswith("["):
        return path
    return "|".join([ref.reader, path, *(f"{k}={_value(v)}" for k, v in ref.part)])


def _value(value: str | int) -> str:
    """Return what a part of a ref says as JSON without the mark that stands between parts."""
    return json.dumps(value).replace("|", "\\u007c")


def parse_ref(text: str) -> Ref:
    """Return the ref that `ref_text` wrote."""
    if "|" not in text:
        return Ref(reader_by_ending(text), text)
    reader, path, *parts = text.split("|")
    pairs = tuple((k, json.loads(v)) for k, _, v in (p.partition("=") for p in parts))
    return Ref(reader, path.replace("%7C", "|").replace("%25", "%"), pairs)
