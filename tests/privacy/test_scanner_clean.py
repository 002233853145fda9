"""What a file says by rule is no leak; everything else still is."""

import numpy as np
import pytest

from hounsfield.privacy.scanner import Scanner
from hounsfield.privacy.watched import Clean, words_of

COMMON = frozenset({"perfusion", "carotid"})


def _found(scanner: Scanner, content: bytes, *, own: tuple[str, ...] = (), clean: Clean | None = None) -> int:
    return len(scanner.leaks(content, own=own, identifiers=own, clean=clean))


def test_a_medical_name_is_searched_for_in_the_own_files() -> None:
    scanner = Scanner(["Perfusion^Anna"], common=COMMON)
    assert _found(scanner, b"image of PERFUSION, map") == 0
    assert _found(scanner, b"image of PERFUSION, map", own=("Perfusion^Anna",)) == 1
    # where a coded term says so, it is the term
    clean = Clean(words_of(["PERFUSION"]))
    assert _found(scanner, b"image of PERFUSION, map", own=("Perfusion^Anna",), clean=clean) == 0


def test_a_coded_term_is_nobody_elses_name_but_never_hides_the_own() -> None:
    scanner = Scanner(["Kowalewska^Zofia"])
    clean = Clean(words_of(["KOWALEWSKA"]))
    assert _found(scanner, b"\0 KOWALEWSKA \0", clean=clean) == 0
    assert _found(scanner, b"\0 KOWALEWSKA \0", own=("Kowalewska^Zofia",), clean=clean) == 1
    # a name in a text that stays is found, whoever's it is
    assert _found(scanner, b"\0 KOWALEWSKA \0", clean=Clean(named=words_of(["KOWALEWSKA"]))) == 1


@pytest.mark.parametrize("own", [(), ("1024", "778899")])
def test_short_numbers_may_be_counts_and_long_ones_never_are(own: tuple[str, ...]) -> None:
    scanner = Scanner(["1024", "778899"])
    clean = Clean(words_of(["1024", "778899"]))
    assert _found(scanner, b"width 1024, height", own=own) == 1
    assert _found(scanner, b"width 1024, height", own=own, clean=clean) == 0
    assert _found(scanner, b"width 778899, height", own=own, clean=clean) == 1


def test_words_of_removed_texts() -> None:
    scanner = Scanner([], ["seen by Slicer"])
    named = Clean(named=words_of(["SlicerEditor 4"]))
    assert _found(scanner, b"algorithm SlicerEditor here") == 1
    assert _found(scanner, b"algorithm SlicerEditor here", clean=named) == 0
    assert _found(scanner, b"algorithm SlicerEditor here", own=("seen by Slicer",), clean=named) == 1


def test_short_words_in_16_bit_samples_and_in_text() -> None:
    scanner = Scanner(["Vogt^Anna", "0005"], ["4711"])
    curve = np.array([34, 35, 36, 36, 40, 45, 48, 48, 48, 53, 97, 39, 477, 744, 1097, 1728], "<u2").tobytes() * 3
    assert _found(scanner, curve) == 0
    noise = np.array([63585, 63536, 70, 118, 111, 103, 116, 91, 64, 63500, 63530, 63542], "<u2").tobytes() * 4
    assert _found(scanner, noise) == 0
    for around in ("Mrs {} came", "{}\0\0", "^{}^", "\n{}\n"):
        assert _found(scanner, b"\0\1\2\3" * 30 + around.format("Vogt").encode("utf-16-le")) >= 1
    assert _found(scanner, "number 0005 in text".encode("utf-16-le"), own=("0005",)) >= 1


def test_digits_in_a_smooth_picture_and_in_a_table() -> None:
    scanner = Scanner(["11111111", "9999"])
    smooth = bytes([*range(66, 57, -1), *[57] * 4, *range(58, 80), *range(80, 47, -1), *[49] * 8, *range(48, 90)] * 6)
    assert _found(scanner, smooth) == 0
    for mark in (b".", b"/", b" ", b",", b"; "):
        assert _found(scanner, mark.join([b"11111111", b"20493817", b"30291847", b"9999", b"5567182"] * 30)) == 20
    assert _found(scanner, b"patient;number\nMiller;9999\nMeyer;11111111\n" * 5) == 10


def test_a_uid_that_was_invented_below_the_root_of_the_standard() -> None:
    uid = "1.2.840.10008.19510923.778899"
    assert _found(Scanner([uid]), f"study {uid} of".encode()) == 1
    assert _found(Scanner(["1.2.840.10008.5.1.4.1.1.2"]), b"kind 1.2.840.10008.5.1.4.1.1.2 of") == 0
