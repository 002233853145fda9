"""Pseudonyms are the same for the same thing, different for another, and only the key's holder can make them."""

import hashlib
import hmac

import pytest
from pydicom.uid import UID

from hounsfield.core.errors import InputError
from hounsfield.privacy.pseudonyms import Pseudonyms

FIRST, SECOND = Pseudonyms(b"1" * 32), Pseudonyms(b"2" * 32)


def test_the_same_thing_under_the_same_key() -> None:
    again = Pseudonyms(b"1" * 32)
    assert FIRST.patient("4711") == again.patient("4711") != SECOND.patient("4711")
    assert FIRST.patient(" 4711\0") == FIRST.patient("4711") != FIRST.patient("4712")
    assert FIRST.code("accession", "4711") != FIRST.code("study-id", "4711")
    assert FIRST.days("4711") == again.days("4711") != SECOND.days("4711")


def test_uids_are_valid_and_made_by_hmac() -> None:
    number = int.from_bytes(hmac.new(b"1" * 32, b"uid\x1f1.2.3", hashlib.sha256).digest()[:16], "big")
    assert FIRST.uid("1.2.3") == f"2.25.{number}"
    for k in range(300):
        uid = UID(FIRST.uid(f"1.2.{k}"))
        assert uid.is_valid
        assert len(uid) <= 44


def test_codes_fit_the_shortest_kinds_of_text() -> None:
    for text in ("4711", "", "山田", "x" * 500):
        assert len(FIRST.patient(text)) == 13
        assert FIRST.patient(text).isalnum()
        assert FIRST.code("accession", text).isascii()
        assert len(FIRST.code("accession", text)) <= 16


def test_shifts_are_spread_and_never_nothing() -> None:
    shifts = [FIRST.days(str(k)) for k in range(2000)]
    assert min(shifts) >= -3680
    assert max(shifts) <= -31
    assert len(set(shifts)) > 1400


def test_no_two_of_many_meet() -> None:
    assert len({FIRST.patient(str(k)) for k in range(20_000)}) == 20_000


def test_a_short_key_is_refused() -> None:
    with pytest.raises(InputError, match="4 bytes"):
        Pseudonyms(b"1234")
