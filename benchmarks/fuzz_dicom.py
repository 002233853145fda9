"""Damages DICOM files in seeded ways and looks whether reading them ends in anything but an image or a ReadError.

    python benchmarks/fuzz_dicom.py FOLDER --seconds 600 --seed 0

Every file is read in a process that may use 1.5 GiB and is watched: whatever it raises other than ReadError, its
death, more than 5 s of processor time for a file, or silence, is reported with the seed that makes the file again.
"""

import argparse
import json
import random
import struct
import subprocess
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

GIB = 1 << 30
SILENCE_S = 40
"""Wall-clock seconds without an answer that count as a hang; a busy machine is slower than its processor time."""
LARGEST = 2_000_000
"""Bytes of a file that is mutated: larger ones only make fewer of them."""
Mutation = Callable[[bytearray, random.Random], bytes]


def flip_bits(data: bytearray, draw: random.Random) -> bytes:
    """Turn a few bits anywhere."""
    for _ in range(draw.choice((1, 2, 8, 64))):
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    return bytes(data)


def flip_header(data: bytearray, draw: random.Random) -> bytes:
    """Change bytes near the beginning, where the structure is."""
    for _ in range(draw.choice((1, 2, 4, 16))):
        data[draw.randrange(min(len(data), 4096))] = draw.randrange(256)
    return bytes(data)


def truncate(data: bytearray, draw: random.Random) -> bytes:
    """End somewhere."""
    return bytes(data[: draw.randrange(1, len(data) + 1)])


def lie_about_length(data: bytearray, draw: random.Random) -> bytes:
    """Write a length that is not true, over four or two bytes after something that looks like an element."""
    lie = draw.choice((0, 1, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF, draw.randrange(1 << 32), len(data)))
    position = _element(data, draw)
    if draw.random() < 0.5 and position + 8 <= len(data):
        data[position + 6 : position + 8] = struct.pack("<H", lie & 0xFFFF)
    else:
        offset = draw.choice((4, 8))
        data[position + offset : position + offset + 4] = struct.pack("<I", lie)
    return bytes(data)


def splice(data: bytearray, draw: random.Random) -> bytes:
    """Copy a piece of the file to another place in it."""
    begin, place = _element(data, draw), _element(data, draw)
    piece = data[begin : begin + draw.choice((8, 64, 512, 4096))]
    data[place:place] = piece
    return bytes(data)


def remove(data: bytearray, draw: random.Random) -> bytes:
    """Leave a piece out."""
    begin = _element(data, draw)
    del data[begin : begin + draw.choice((1, 8, 64, 1024))]
    return bytes(data) or b"\0"


def nest(data: bytearray, draw: random.Random) -> bytes:
    """Put sequences inside sequences, with or without their ends."""
    depth = draw.choice((3, 31, 33, 500, 20_000))
    explicit = draw.random() < 0.7
    head = b"\x40\x00\x75\x02" + (b"SQ\0\0" if explicit else b"") + b"\xff\xff\xff\xff"
    item = b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    end = b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0" if draw.random() < 0.5 else b""
    place = _element(data, draw)
    data[place:place] = (head + item) * depth + end * depth
    return bytes(data)


def claim_pixels(data: bytearray, draw: random.Random) -> bytes:
    """Change what the pixel module says: rows, columns, bits, frames, samples, colours."""
    number = draw.choice((0x02, 0x04, 0x06, 0x08, 0x10, 0x11, 0x100, 0x101, 0x102, 0x103))
    place = data.find(struct.pack("<HH", 0x28, number))
    if place < 0:
        return flip_header(data, draw)
    value = draw.choice(
        (b"\0\0", b"\xff\xff", b"\x01\0", b"\x03\0", b"\x40\0", struct.pack("<H", draw.randrange(1 << 16)))
    )
    data[place + 8 : place + 10] = b"99" if number == 0x08 else value
    return bytes(data)


def damage_codestream(data: bytearray, draw: random.Random) -> bytes:
    """Damage the second half, where pixel data are: headers, tables, entropy-coded bytes, fragment heads."""
    half = len(data) // 2
    marks = [i for i in (data.find(m) for m in (b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\xe0\x7f\x10\x00")) if i >= 0]
    start = draw.choice(marks) if marks and draw.random() < 0.7 else half
    for _ in range(draw.choice((1, 3, 10))):
        data[min(len(data) - 1, start + draw.randrange(draw.choice((16, 200, 4000))))] = draw.randrange(256)
    return bytes(data)


def swap_syntax(data: bytearray, draw: random.Random) -> bytes:
    """State another transfer syntax of the same length or shorter."""
    place = data.find(b"\x02\x00\x10\x00UI")
    if place < 0:
        return flip_header(data, draw)
    (length,) = struct.unpack_from("<H", data, place + 6)
    known = ("1.2", "1.2.1", "1.2.2", "1.2.1.99", "1.2.5", "1.2.4.50", "1.2.4.70", "1.2.4.80", "1.2.4.90", "1.2.8.1")
    text = ("1.2.840.10008." + draw.choice(known)).encode()[:length]
    data[place + 8 : place + 8 + length] = text.ljust(length, b"\0")
    return bytes(data)


MUTATIONS: tuple[Mutation, ...] = (
    flip_bits,
    flip_header,
    truncate,
    lie_about_length,
    splice,
    remove,
    nest,
    claim_pixels,
    damage_codestream,
    swap_syntax,
)


def _element(data: bytearray, draw: random.Random) -> int:
    """Return a place that looks like the beginning of an element: an even group below 0x60 in two bytes."""
    start = draw.randrange(len(data))
    for position in range(start, min(start + 2000, len(data) - 12)):
        if data[position + 1] == 0 and data[position] in (0x02, 0x08, 0x10, 0x18, 0x20, 0x28, 0x40, 0x54):
            return position
    return min(start, max(0, len(data) - 12))


def mutated(files: list[bytes], seed: int) -> tuple[bytes, str]:
    """Return a damaged file and the name of what was done to it; the same for the same files and seed."""
    draw = random.Random(seed)
    data, names = draw.choice(files), []
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        mutation = draw.choice(MUTATIONS)
        data = mutation(bytearray(data), draw) or b"\0"
        names.append(mutation.__name__)
    return data, "+".join(names)


def exercise(data: bytes) -> str:
    """Read a file in every way that exists; return how it ended: ``image``, ``header`` or ``refused``.

    Anything else than ReadError leaves this function as it is.
    """
    from hounsfield.core.errors import ReadError
    from hounsfield.data.dicom import lut, marked, overlays, pixels, report_answers, reports, suv
    from hounsfield.data.dicom.apart import RT_STRUCTURES, SEGMENTATIONS
    from hounsfield.data.dicom.entries import Entry
    from hounsfield.data.dicom.opening import open_dataset

    ended = "refused"
    for whole in (False, True):
        try:
            dataset = open_dataset(data, pixels=whole)
        except ReadError:
            continue
        ended = "header"
        for element in dataset.iterall():
            _ = element.value, element.VR
        suv.uptake(dataset)
        lut.windows_of(dataset)
        report_answers.answers_in(dataset, Entry("fuzz"))
        for own in (SEGMENTATIONS[0], RT_STRUCTURES):
            with suppress(ReadError):
                marked.marks_of(dataset, Entry("fuzz", sop_class=own))
        with suppress(ReadError):
            reports.report_text(dataset)
        if not whole:
            continue
        for read in (pixels.picture, pixels.modality_frame, overlays.overlays):
            try:
                count = pixels.frame_count(dataset)
                for number in {0, count - 1}:
                    read(dataset, max(0, number))
                    ended = "image"
            except ReadError:
                continue
    return ended


def worker(folder: Path, first: int) -> None:
    """Read one damaged file after another, and write a line before and after each."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (GIB * 3 // 2, GIB * 3 // 2))
    files = corpus(folder)
    seed = first
    while True:
        data, name = mutated(files, seed)
        print(json.dumps({"seed": seed, "mutation": name}), flush=True)
        began = time.process_time()
        found = {"seed": seed, "ended": "", "error": ""}
        try:
            found["ended"] = exercise(data)
        except BaseException:
            found["error"] = traceback.format_exc(limit=-6)
        found["seconds"] = time.process_time() - began
        found["mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps(found), flush=True)
        seed += 1


def corpus(folder: Path) -> list[bytes]:
    """Return the files of a folder that are small enough, in a fixed order."""
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix not in (".csv", ".md", ".gz", ".nii"))
    return [p.read_bytes() for p in paths if 0 < p.stat().st_size <= LARGEST]


def main() -> None:
    """Run the fuzzer and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        worker(options.folder, options.seed)
        return
    ends: Counter[str] = Counter()
    faults: list[str] = []
    slowest, most, seed = 0.0, 0.0, options.seed
    deadline = time.monotonic() + options.seconds
    while time.monotonic() < deadline:
        for line in watched(options.folder, seed, deadline):
            if "ended" not in line:
                seed = int(line["seed"])
                continue
            ends[str(line["ended"] or "error")] += 1
            slowest, most = max(slowest, float(line["seconds"])), max(most, float(line["mib"]))
            if line["error"] or float(line["seconds"]) > 5:
                faults.append(f"seed {line['seed']}: {line['error'] or line['seconds']}")
            seed = int(line["seed"]) + 1
        if time.monotonic() < deadline:
            faults.append(f"seed {seed}: the process died or was silent for {SILENCE_S} s")
            seed += 1
    print(f"{sum(ends.values())} files: " + ", ".join(f"{n} {k}" for k, n in ends.most_common()))
    print(f"slowest {slowest:.2f} s of processor time, most memory {most:.0f} MiB, {len(faults)} faults")
    for fault in faults:
        print(fault)
    sys.exit(1 if faults else 0)


def watched(folder: Path, seed: int, deadline: float) -> Iterable[dict[str, str | float]]:
    """Yield the lines of a worker until it dies, is silent, or time is over."""
    order = [sys.executable, __file__, str(folder), "--worker", "--seed", str(seed)]
    with subprocess.Popen(order, stdout=subprocess.PIPE, text=True) as process:
        while time.monotonic() < deadline and process.stdout is not None:
            timer = threading.Timer(SILENCE_S, process.kill)
            timer.start()
            line = process.stdout.readline()
            timer.cancel()
            if not line:
                break
            yield json.loads(line)
        process.kill()


if __name__ == "__main__":
    main()
