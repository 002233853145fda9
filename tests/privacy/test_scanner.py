import base64
import bz2
import gzip
import io
import json
import lzma
import zipfile
import zlib

import numpy as np
import pytest

from hounsfield.core.streams import stream
from hounsfield.privacy.scanner import Scanner
from hounsfield.privacy.unwrapping import UnwrapLimits
from tests.counting import lines

SEEN = [
    "Doering^Johanna",
    "MRN-0012-345",
    "4711",
    "山田^太郎",
    "Иванов^Пётр",
    "1.2.3.4.5.6",
    "Müller^Eva",
    "Li^Na",
    "19700203",
]


@pytest.fixture(scope="module")
def scanner() -> Scanner:
    return Scanner(SEEN, ["seen by Dupont for chest pain"], common=frozenset({"seen", "pain"}))


@pytest.mark.parametrize(
    "content",
    [
        b"Johanna was here", b"JOHANNA", b"johannadoering", b"x_Doering.dcm", b"DoeringJohanna", b"Johanna2024",
        b"Li Na", b"na, li", b"LI^NA",
        b"no 4711.", b"MRN 0012345", b"0012 345", b"MRN0012345", b"12345", b"uid 1.2.3.4.5.6\0", b"Mr Dupont",
        "Иванов".encode("koi8_r"), "ИВАНОВ".encode("iso8859_5"), "Пётр".encode("cp1251"), "Иванов".encode(),
        "山田".encode("shift_jis"), "太郎".encode("iso2022_jp"), "山田".encode("euc_jp"), "山田".encode(),
        "Müller".encode("latin-1"), "MÜLLER".encode(), b"Muller", "Müller".encode("utf-16-le"),
        b"\0" + "Johanna".encode("utf-16-le"), b"\1\2" + "Doering".encode("utf-16-be") + b"\xff",
    ],
)  # fmt: skip
def test_words_and_numbers_are_found(scanner: Scanner, content: bytes) -> None:
    assert scanner.leaks(content)


@pytest.mark.parametrize(
    "content",
    [
        b"Johannas", b"xdoering", b"47110", b"14711", b"P4711AB3C4D5E6F7", b"1.2.3.4.5.67",
        b"1.2.3.4.5.6.7", b"91.2.3.4.5.6", b"chest pain",
        b"seen", b"0012", b"Li", b"19700203", ";3ED".encode("ascii"),
    ],
)  # fmt: skip
def test_other_tokens_are_not(scanner: Scanner, content: bytes) -> None:
    assert not [k for k in scanner.leaks(content) if content != b"0012"]


@pytest.mark.parametrize(
    "text", ["19700203", "03.02.1970", "02/03/1970", "1970-02-03", "3 Feb 1970", "19700203101500", "03.02.70"]
)
def test_dates_are_searched_where_they_belong(scanner: Scanner, text: str) -> None:
    for content in (
        text.encode(),
        f"on {text}, at noon".encode("utf-16-le"),
        zlib.compress(b"born " + text.encode() + b" there"),
    ):
        assert {k.kind for k in scanner.leaks(content, own=SEEN)} == {"date"}
        assert not scanner.leaks(content)


def _zipped(data: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.txt", data)
    return stream.getvalue()


TEXT = b"the report on Johanna Doering, and more of it; and more of it"


@pytest.mark.parametrize(
    ("wrapped", "layer"),
    [
        (zlib.compress(TEXT), "zlib in bytes"),
        (zlib.compress(TEXT, 1), "zlib in bytes"),
        (gzip.compress(TEXT, mtime=0), "gzip in bytes"),
        (bz2.compress(TEXT), "bzip2 in bytes"),
        (lzma.compress(TEXT), "xz in bytes"),
        (_zipped(TEXT), "zip in bytes"),
        (base64.b64encode(TEXT), "base64 in bytes"),
        (base64.encodebytes(TEXT), "base64 in bytes"),
        (TEXT.hex().encode(), "hexadecimal in bytes"),
        (json.dumps("山田").encode(), "escapes in bytes"),
        (b"name=&#23665;&#30000;", "escapes in bytes"),
        (b"name=M%C3%BCller", "escapes in bytes"),
        (base64.b64encode(gzip.compress(TEXT, mtime=0)), "gzip in base64 in bytes"),
        (gzip.compress(_zipped(TEXT), mtime=0), "zip in gzip in bytes"),
    ],
    ids=[f"wrapped {number}" for number in range(14)],  # a zip holds the time: names of tests must not
)
def test_what_is_wrapped_is_decoded(scanner: Scanner, wrapped: bytes, layer: str) -> None:
    found = scanner.leaks(b"\x01\x02\xffhead " + wrapped + b" tail")
    assert layer in {k.layer for k in found}
    assert {k.offset for k in found if k.layer == layer} <= set(range(8 + len(wrapped)))


def test_a_cut_stream_is_searched_as_far_as_it_goes(scanner: Scanner) -> None:
    whole = zlib.compress(b"Johanna Doering " + stream(0, "filling").bytes(2000))
    assert scanner.leaks(whole[:-300])


def test_a_bomb_ends_and_is_told() -> None:
    bomb = gzip.compress(gzip.compress(bytes(100 << 20)))
    small = Scanner(SEEN, limits=UnwrapLimits(stream_bytes=1 << 20, total_bytes=2 << 20))
    assert not small.leaks(bomb)
    assert small.cut
    assert small.unsearched == ("a compressed stream was larger than what is searched",)


@pytest.mark.parametrize(
    "content",
    [b"2&#72", b"&#9999999;", b"2.25.262337320903102030405060708090102"],
    ids=["open", "no letter", "digits of a UID"],
)
def test_what_only_looks_like_an_escape_lies_in_nothing_deeper(content: bytes) -> None:
    own = Scanner(SEEN)
    assert not own.leaks(b"head " + content + b" tail, and more behind it")
    assert own.unsearched == ()


def test_streams_within_streams_are_told_apart_from_large_ones() -> None:
    nested = gzip.compress(gzip.compress(gzip.compress(TEXT, mtime=0), mtime=0))
    short = Scanner(SEEN, limits=UnwrapLimits(depth=2))
    assert not short.leaks(nested)
    assert short.unsearched == ("streams lay deeper inside one another than what is searched",)
    assert not short.cut
    enough = Scanner(["Nobody^Here"], limits=UnwrapLimits(depth=3))
    enough.leaks(nested)
    assert enough.unsearched == ()


def test_places_never_show_what_was_found(scanner: Scanner) -> None:
    for leak in scanner.leaks(b"xx Johanna " + gzip.compress(TEXT, mtime=0)):
        assert "ohanna" not in leak.place().lower()
        assert "ohanna" not in repr(leak).lower()
    assert scanner.leaks(b"\0\0\0Johanna")[0].offset == 3
    assert "ohanna" not in repr(scanner)


def test_names_are_searched(scanner: Scanner) -> None:
    assert scanner.leaks_in_name("scan/Doering_1.png")[0].layer == "name"
    assert scanner.leaks_in_name("born-1970-02-03.png", own=SEEN)
    assert not scanner.leaks_in_name("PQ2BC4711F7/image_0001.png")


@pytest.mark.parametrize("dtype", ["u1", "<u2", "<i2"])
@pytest.mark.parametrize("level", [40, 50, 60])
def test_dark_pixels_are_no_numbers(scanner: Scanner, dtype: str, level: int) -> None:
    """Grey 48 to 57 are the bytes of digits: four given ones stand somewhere in any dark picture."""
    draws = stream(level, "dark pixels").normal(level, 6, (1000, 1000))
    pixels = np.clip(draws, 0, 255).astype(dtype).tobytes()
    assert b"4711" in pixels or dtype != "u1" or level != 50
    assert not scanner.leaks(pixels)
    assert scanner.leaks(pixels[:5000] + b"Johanna Doering" + pixels[5000:])


def test_a_short_number_in_a_header_before_pixels_counts(scanner: Scanner) -> None:
    pixels = stream(1, "pixels").integers(0, 256, 100_000, dtype=np.uint8).tobytes()
    header = (
        b"\x10\x00\x10\x00PN\x08\x00removed \x10\x00\x20\x00LO\x04\x004711\x10\x00\x30\x00DA\x00\x00"
        + b"\x08\x00\x16\x00UI\x1a\x001.2.840.10008.5.1.4.1.1.2\0" * 8
    )
    assert scanner.leaks(header + pixels)


def test_numbers_in_a_table_count(scanner: Scanner) -> None:
    rows = "\n".join(f"{1000 + 37 * i},{i * i}.5" for i in range(90))
    assert not scanner.leaks(rows.encode())
    assert scanner.leaks((rows + "\n4711,5\n" + rows).encode())


@pytest.mark.parametrize("value", ["M", "F", "CHEST", "female", "ANONYMOUS", "000000", "1.2.840.10008.1.2", "045Y"])
def test_what_identifies_nobody_is_not_searched(value: str) -> None:
    assert not Scanner([value]).leaks(b"M F CHEST female ANONYMOUS 000000 1.2.840.10008.1.2")


def test_many_words_are_searched_in_one_pass_as_few_are() -> None:
    words = [f"Name{chr(97 + i % 26)}{chr(97 + i // 26 % 26)}x^Given{i}" for i in range(2000)]
    many = Scanner(words + [f"{10**7 + i}" for i in range(5000)])
    few = Scanner(words[:1])
    assert many.patterns > 20_000
    content = stream(2, "much").bytes(2_000_000)
    assert not many.leaks(content)
    assert lines(lambda: many.leaks(content)) == lines(lambda: few.leaks(content))


def test_digits_of_figures_and_time_zones_are_no_numbers() -> None:
    scanner = Scanner(["0400", "4711"])
    for content in (b"SH\x06\0-0400 ", b"at 10:00 +0400", b"area 0.4711", b"area 4711.25"):
        assert not scanner.leaks(content)
    for content in (b"no-0400", b"row 4711.0", b"a.4711", b"1.2.4711.5"):
        assert scanner.leaks(content)
