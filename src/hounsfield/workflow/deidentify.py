"""De-identify: every file is written without persons or withheld with the reason, then everything is searched again."""

import csv
import hashlib
import io
import mmap
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from hounsfield.bundle.atomic import write_bytes, write_json
from hounsfield.bundle.locks import FolderLock
from hounsfield.core.errors import HounsfieldError, InputError, RunExistsError, StorageError, unknown_name
from hounsfield.core.progress import SILENT, Progress
from hounsfield.core.types import AnyArray, BoolArray, Float64Array, Json
from hounsfield.data.dicom.terms import standard_words
from hounsfield.data.protocols import Scrubbed
from hounsfield.data.scrubbers.choosing import head_of, scrubber_for, scrubber_named, why_unknown
from hounsfield.data.scrubbers.naming import named_words, pseudonymous_path
from hounsfield.data.scrubbers.order import FaceRemover, ScrubOrder, TextInPixels
from hounsfield.privacy._generated.confidentiality import EDITION
from hounsfield.privacy.descriptors import WORDS
from hounsfield.privacy.profile import CLEAN_PIXELS, DEFAULTS, OPTIONS, REMOVE_FACES, Profile
from hounsfield.privacy.pseudonyms import Pseudonyms
from hounsfield.privacy.scanner import Leak, Scanner
from hounsfield.workflow.deidentify_ledger import Ledger, Treated
from hounsfield.workflow.pseudonym_key import open_key, write_private

TABLE, SUMMARY = "deidentified.csv", "deidentified.json"
LEAK_EXIT_CODE = 3
_PLACES = 3
_MAKERS = frozenset(
    """
    siemens philips toshiba canon hitachi hologic fuji fujifilm agfa kodak carestream samsung mindray esaote
    shimadzu healthcare healthineers systems varian elekta brainlab nikon olympus zeiss topcon heidelberg python
    program version converted created exported picture photo screenshot screen copy final sample file files
    folder export exports anon dicom nifti jpeg tiff
    """.split()  # noqa: SIM905 - a list of quoted words is harder to read
)
"""Makers of devices and words of programs: they stand in clean files, too."""
_CASE = re.compile(r"\bCase [0-9a-f]{8}: ")


class Deidentified(BaseModel):
    """What was done.

    Attributes
    ----------
    out, key, links : str
        Names of the output folder, of the key and of the table that links inputs to outputs, both kept apart.
    files, written, withheld : int
    formats : dict of str to int
        Files written of each format.
    reasons : dict of str to int
        Files withheld for each reason.
    leaks : dict of str to list of str
        By case: the places where the second pass found something. Those files are withheld.
    options : tuple of str
    edition : str
        Of the standard whose rules were used.
    patterns : int
        Spellings that the second pass looked for.
    searched_to_the_end : bool
        False where a limit ended the second pass before the end.
    unsearched : tuple of str
        Why, a phrase for each limit that was reached.
    notes : tuple of str
        What was asked for and is not offered.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    out: str
    key: str
    links: str
    files: int
    written: int
    withheld: int
    formats: dict[str, int]
    reasons: dict[str, int]
    leaks: dict[str, list[str]]
    options: tuple[str, ...]
    edition: str
    patterns: int
    searched_to_the_end: bool
    unsearched: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Places:
    """Where a run reads and writes."""

    sources: tuple[tuple[str, Path], ...] = field(repr=False)
    out: Path = field(repr=False)
    staging: Path = field(repr=False)
    key: Path = field(repr=False)
    links: Path = field(repr=False)
    ledger: Path = field(repr=False)


def deidentify(
    source: str | Path,
    out: str | Path,
    *,
    key: str | Path | None = None,
    options: Iterable[str] | None = None,
    progress: Progress = SILENT,
) -> Deidentified:
    """Write the files of a folder without what identifies persons, and search everything written again.

    Parameters
    ----------
    source : str or Path
        A folder, with all below it, or one file.
    out : str or Path
        A new folder. It is there only once all files in it have passed the second search.
    key : str or Path or None
        File with the secret key, made where it does not exist; ``OUT.key`` beside the output if None. The same key
        gives the same pseudonyms and shifts.
    options : iterable of str or None
        Names from `hounsfield.privacy.profile.OPTIONS`; its `DEFAULTS` if None.
    progress : Progress

    Raises
    ------
    InputError
        If there is nothing to read, or the key would lie in the output or the input.
    RunExistsError
        If the output exists.

    Notes
    -----
    An interrupted run goes on when the same call is made again: what is done is in a hidden folder beside the output
    and in a list beside the key. A file that cannot be read is withheld with its reason and the run goes on.
    """
    chosen = frozenset(DEFAULTS if options is None else options)
    for name in sorted(chosen - set(OPTIONS)):
        raise unknown_name("option of de-identification", name, OPTIONS)
    places = _places(Path(source), Path(out), Path(key) if key is not None else None)
    with _locked(places):
        secret = open_key(places.key)
        pseudonyms = Pseudonyms(secret)
        profile = Profile(chosen)
        order = ScrubOrder(
            pseudonyms, chosen, text_in_pixels=_detector(chosen), profile=profile, remove_face=_defacer(chosen)
        )
        begun_as = hashlib.sha256(repr((secret, sorted(chosen), str(Path(source).resolve()))).encode()).hexdigest()
        ledger = Ledger(places.ledger, begun_as=begun_as)
        complete = False
        try:
            if not ledger.continues and places.staging.exists():
                shutil.rmtree(places.staging)
            places.staging.mkdir(exist_ok=True)
            entries = _scrubbed(places, order, ledger, progress)
            entries, leaks, scanner = _searched(places, entries, progress)
            done = _summary(places, entries, leaks, profile, scanner)
            _write_tables(places, entries, done, scanner)
            places.staging.rename(places.out)
            complete = True
        except OSError as error:
            raise StorageError(
                f"The output could not be written ({error.strerror}).",
                expected="room and permission beside OUT",
                next_step="free some space, then type the same command again: it goes on",
            ) from error
        finally:
            ledger.close(remove=complete)
    return done


def _places(source: Path, out: Path, key: Path | None) -> _Places:
    if not source.exists():
        raise InputError("IN does not exist.", expected="a folder or a file", next_step="check the path")
    out = out.absolute()
    if out.exists():
        raise RunExistsError(
            f"{out.name} exists already.", expected="a new folder", next_step="choose another OUT, or move it away"
        )
    if not out.parent.is_dir():
        raise InputError("The folder of OUT does not exist.", expected="a folder", next_step="make it first")
    key = (key if key is not None else out.with_name(out.name + ".key")).absolute()
    root = source.resolve()
    if key.resolve().is_relative_to(out.resolve()):
        raise InputError(
            "The key would lie in the output.", expected="a place apart", next_step="name another file with --key"
        )
    if root.is_dir() and (out.resolve().is_relative_to(root) or key.resolve().is_relative_to(root)):
        raise InputError(
            "OUT or the key would lie in IN.", expected="places outside IN", next_step="choose another OUT or --key"
        )
    sources = tuple(_walked(root)) if root.is_dir() else ((root.name, root),)
    if not sources:
        raise InputError("IN holds no file.", expected="files to de-identify", next_step="check the path")
    beside = key.parent
    return _Places(
        sources,
        out,
        out.with_name(f".{out.name}.unfinished"),
        key,
        beside / f"{out.name}.links.csv",
        beside / f".{out.name}.ledger",
    )


def _walked(root: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(root.rglob("*")):
        if path.is_symlink() or not path.is_dir():
            yield path.relative_to(root).as_posix(), path


@contextmanager
def _locked(places: _Places) -> Iterator[None]:
    lock = FolderLock(places.ledger.with_suffix(".lock"))
    if not lock.acquire():
        raise RunExistsError(
            "Another process is writing this OUT.", expected="one at a time", next_step="wait for it, or end it"
        )
    try:
        yield
    finally:
        places.ledger.with_suffix(".lock").unlink(missing_ok=True)
        lock.release()


def _detector(options: frozenset[str]) -> TextInPixels | None:
    if CLEAN_PIXELS not in options:
        return None
    from hounsfield.privacy.pixel_text import text_mask
    from hounsfield.privacy.tesseract import is_present, with_second_opinion

    return with_second_opinion(text_mask) if is_present() else text_mask


def _defacer(options: frozenset[str]) -> FaceRemover | None:
    if REMOVE_FACES not in options:
        return None
    from hounsfield.privacy.faces import deface

    def remove(volume: AnyArray, affine_ras: Float64Array) -> tuple[AnyArray, BoolArray]:
        done = deface(volume, affine_ras)
        return done.volume, done.removed

    return remove


def _scrubbed(places: _Places, order: ScrubOrder, ledger: Ledger, progress: Progress) -> list[Treated]:
    """Write every file that can be written; what an earlier try has done and nobody has changed stays."""
    entries: list[Treated] = []
    used: set[str] = set()
    with progress.step("De-identifying", float(len(places.sources))) as shown:
        for path, source in places.sources:
            name = _output_name(path, used, order)
            case = order.pseudonyms.code("case", path)
            entry = ledger.known.get(path)
            stamp = _stamp(source)
            finished = (
                entry is not None
                and entry.stamp == stamp
                and (not entry.name or (entry.name == name and (places.staging / name).is_file()))
            )
            if entry is None or not finished:
                entry = _treated(Treated(path, case, name, stamp=stamp), source, places.staging, order)
                ledger.add(entry)
            entries.append(entry)
            shown.advance(1.0, f"{sum(not e.reason for e in entries)} written")
    return entries


def _treated(blank: Treated, source: Path, staging: Path, order: ScrubOrder) -> Treated:
    """Return what became of one file; whatever goes wrong with it sets this file aside."""
    result, kind = Scrubbed(None, withheld="a link; it is not followed"), ""
    if not source.is_symlink():
        try:
            head = head_of(source)
            kind = scrubber_for(head, source.name) or ""
            result = scrubber_named(kind).scrub(source, order) if kind else Scrubbed(None, why_unknown(head))
        except HounsfieldError as error:
            result = Scrubbed(None, withheld=error.found)
        except ImportError:
            raise
        except (Exception, RecursionError) as error:  # a fault of one scrubber costs one file, and lets nothing out
            result = Scrubbed(None, withheld=f"it could not be de-identified ({type(error).__name__})")
    written = result.content is not None and not result.withheld
    if written and result.content is not None:
        target = staging / blank.name
        target.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(target, result.content)
    return replace(
        blank,
        name=blank.name if written else "",
        format=kind,
        # a case in a message is a hash without the key, which a guessed path can be tested against
        reason="" if written else (_CASE.sub("", result.withheld) or "nothing was left"),
        removed=result.removed,
        identifiers=result.identifiers,
        texts=(*result.texts, *named_words(blank.path)),
    )


def _searched(
    places: _Places, entries: list[Treated], progress: Progress
) -> tuple[list[Treated], dict[str, list[str]], Scanner]:
    """Search every output and its name; a file in which something is found is removed."""
    scanner = Scanner(
        (v for e in entries for v in e.identifiers),
        (t for e in entries for t in e.texts),
        common=standard_words() | WORDS | _MAKERS,
    )
    leaks: dict[str, list[str]] = {}
    checked = []
    with progress.step("Searching what was written", float(len(entries))) as shown:
        for entry in entries:
            found = _leaks(scanner, places.staging / entry.name, entry) if entry.name else ()
            if found:
                (places.staging / entry.name).unlink()
                leaks[entry.case] = [leak.place() for leak in found]
                shortly = "; ".join(leaks[entry.case][:_PLACES])
                entry = replace(entry, name="", reason=f"the second pass found an identifier: {shortly}")  # noqa: PLW2901
                progress.say(f"Case {entry.case} is withheld: the second pass found {shortly}.")
            checked.append(entry)
            shown.advance()
    for folder in sorted(places.staging.rglob("*"), reverse=True):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    return checked, leaks, scanner


def _leaks(scanner: Scanner, path: Path, entry: Treated) -> tuple[Leak, ...]:
    own = (*entry.identifiers, *entry.texts)
    named = scanner.leaks_in_name(entry.name, own=own)
    if named or path.stat().st_size == 0:
        return named
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        view = memoryview(content)
        try:
            return scanner.leaks(view, own=own)
        finally:
            view.release()


def _output_name(path: str, used: set[str], order: ScrubOrder) -> str:
    name = pseudonymous_path(path, order.pseudonyms)
    if name.casefold() in used or name in (TABLE, SUMMARY):
        folder, _, last = name.rpartition("/")
        stem, dot, end = last.partition(".")
        last = f"{stem}-{order.pseudonyms.code('name', path)[:6]}{dot}{end}"
        name = f"{folder}/{last}" if folder else last
    used.add(name.casefold())
    return name


def _stamp(source: Path) -> tuple[int, int]:
    state = source.lstat()
    return state.st_size, state.st_mtime_ns


def _summary(
    places: _Places, entries: Sequence[Treated], leaks: dict[str, list[str]], profile: Profile, scanner: Scanner
) -> Deidentified:
    written = [e for e in entries if e.name]
    reasons = Counter(_short(e.reason) for e in entries if not e.name)
    return Deidentified(
        out=places.out.name,
        key=places.key.name,
        links=places.links.name,
        files=len(entries),
        written=len(written),
        withheld=len(entries) - len(written),
        formats=dict(sorted(Counter(e.format for e in written).items())),
        reasons=dict(reasons.most_common()),
        leaks=leaks,
        options=tuple(sorted(profile.options)),
        edition=EDITION,
        patterns=scanner.patterns,
        searched_to_the_end=not scanner.unsearched,
        unsearched=scanner.unsearched,
        notes=_notes(written, profile),
    )


def _notes(written: Sequence[Treated], profile: Profile) -> tuple[str, ...]:
    series = sum(e.format == "dicom" for e in written)
    if not (profile.asks(REMOVE_FACES) and series):
        return ()
    return (
        f"Face removal is not offered for DICOM: {series:,} DICOM files were written with the faces they may show. "
        "Convert them to NIfTI (hu convert) and de-identify that.",
    )


def _short(reason: str) -> str:
    return "the second pass found an identifier" if reason.startswith("the second pass") else reason


def _write_tables(places: _Places, entries: Sequence[Treated], done: Deidentified, scanner: Scanner) -> None:
    """Write what became of every file: into the output by case only, and beside the key with the inputs' names."""
    rows = [
        (e.case, e.name, "written" if e.name else "withheld", e.format, e.reason, "; ".join(e.removed)) for e in entries
    ]
    content = _csv([("case", "output", "outcome", "format", "reason", "removed"), *rows])
    if scanner.leaks(content):
        # an input whose own words are those of our reports; the table is left without them
        content = _csv(
            [
                ("case", "output", "outcome", "format", "reason", "removed"),
                *((r[0], r[1], r[2], r[3], "", "") for r in rows),
            ]
        )
    write_bytes(places.staging / TABLE, content)
    # names of outside files may identify; leaks are in the table, by case
    write_json(places.staging / SUMMARY, _public(done))
    places.links.unlink(missing_ok=True)
    write_private(places.links, _csv([("case", "input", "output"), *((e.case, e.path, e.name) for e in entries)]))


def _public(done: Deidentified) -> Json:
    return {
        "schema_version": 1,
        "options": list(done.options),
        "edition": done.edition,
        "files": f"{done.files:,}",
        "written": f"{done.written:,}",
        "withheld": f"{done.withheld:,}",
        "formats": {name: f"{count:,}" for name, count in done.formats.items()},
        "reasons": {reason: f"{count:,}" for reason, count in done.reasons.items()},
        "second_pass": {
            "files_with_findings": f"{len(done.leaks):,}",
            "searched_to_the_end": done.searched_to_the_end,
            "unsearched": list(done.unsearched),
        },
        "notes": list(done.notes),
    }


def _csv(rows: Iterable[Sequence[str]]) -> bytes:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return stream.getvalue().encode("utf-8", "surrogateescape")
