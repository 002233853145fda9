"""A short run of the fuzzer on files made here: every damage ends in an image, a header or ReadError."""

import zlib
from collections import Counter

import numpy as np
from benchmarks.fuzz_dicom import exercise, mutated

from tests.data_room.dicom.bytewise import (
    DEFLATED,
    IMPLICIT,
    JPEG_LS,
    fragments,
    header,
    image,
    jpeg_ls,
    part10,
    ramp,
    sequence,
    us,
)


def _files() -> list[bytes]:
    grey = (ramp(16, 16) * 3).astype("<u2")
    engine = zlib.compressobj(wbits=-15)
    body = header() + sequence(0x00081140, us(0x00280010, 1), undefined=True) + us(0x00280010, 3)
    return [
        image(grey.tobytes(), rows=16, columns=16),
        image(grey.tobytes(), rows=16, columns=16, syntax=IMPLICIT),
        image(fragments(jpeg_ls(np.asarray(grey, np.uint16))), rows=16, columns=16, syntax=JPEG_LS, undefined=True),
        part10(engine.compress(body) + engine.flush(), DEFLATED),
        part10(body * 3),
    ]


def test_six_hundred_damaged_files() -> None:
    files = _files()
    ends = Counter(exercise(mutated(files, seed)[0]) for seed in range(600))
    assert sum(ends.values()) == 600
    assert set(ends) == {"image", "header", "refused"}


def test_a_seed_makes_the_same_file_again() -> None:
    files = _files()
    assert mutated(files, 7) == mutated(files, 7)
    assert mutated(files, 7) != mutated(files, 8)
