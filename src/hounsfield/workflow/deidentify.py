"""De-identify: every file is written without persons or withheld with the reason, then everything is searched again."""

import hashlib
import re
import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from hounsfield.bundle.atomic import write_bytes
from hounsfield.core.errors import HounsfieldError, StorageError, unknown_name
from hounsfield.core.progress import SILENT, Progress
from hounsfield.core.types import AnyArray, BoolArray, Float64Array
from hounsfield.data.protocols import Scrubbed
from hounsfield.data.scrubbers.choosing import head_of, scrubber_for, scrubber_named, why_unknown
from hounsfield.data.scrubbers.known import KnownKeys
from hounsfield.data.scrubbers.naming import named_words, pseudonymous_path
from hounsfield.data.scrubbers.order import FaceRemover, FacesOfFiles, ScrubOrder, TextInPixels
from hounsfield.privacy.profile import CLEAN_PIXELS, DEFAULTS, OPTIONS, REMOVE_FACES, Profile
from hounsfield.privacy.pseudonyms import Pseudonyms
from hounsfield.workflow.deidentify_ledger import Ledger, Treated
from hounsfield.workflow.deidentify_places import Places, locked, places_of
from hounsfield.workflow.deidentify_report import SUMMARY, TABLE, Deidentified, summary, write_tables
from hounsfield.workflow.deidentify_search import searched
from hounsfield.workflow.pseudonym_key import open_key

__all__ = ["LEAK_EXIT_CODE", "Deidentified", "deidentify"]

LEAK_EXIT_CODE = 3
_JOINING = ("table", "cohort")
"""Formats that join others: treated last, when the keys of the images are known."""
_CASE = re.compile(r"\bCase [0-9a-f]{8}: ")


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
    places = places_of(Path(source), Path(out), Path(key) if key is not None else None)
    with locked(places):
        secret = open_key(places.key)
        pseudonyms = Pseudonyms(secret)
        profile = Profile(chosen)
        remove = _defacer(chosen)
        order = ScrubOrder(
            pseudonyms,
            chosen,
            text_in_pixels=_detector(chosen),
            profile=profile,
            remove_face=remove,
            faces_of=None if remove is None else _faces(places.root, remove),
        )
        begun_as = hashlib.sha256(repr((secret, sorted(chosen), str(Path(source).resolve()))).encode()).hexdigest()
        ledger = Ledger(places.ledger, begun_as=begun_as)
        complete = False
        try:
            if not ledger.continues and places.staging.exists():
                shutil.rmtree(places.staging)
            places.staging.mkdir(exist_ok=True)
            entries = _scrubbed(places, order, ledger, progress)
            entries, leaks, scanner = searched(places, entries, progress)
            done = summary(places, entries, leaks, profile, scanner)
            write_tables(places, entries, done, scanner)
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


def _faces(root: Path, remove: FaceRemover) -> FacesOfFiles:
    from hounsfield.data.dicom.scrubbing_faces import SeriesFaces

    return SeriesFaces(root, remove)


def _scrubbed(places: Places, order: ScrubOrder, ledger: Ledger, progress: Progress) -> list[Treated]:
    """Write every file that can be written; what an earlier try has done and nobody has changed stays.

    Tables come last: they are joined to the keys that the images have.
    """
    used: set[str] = set()
    names = {path: _output_name(path, used, order) for path, _ in places.sources}
    joining = {path for path, source in places.sources if _joins(source)}
    entries: dict[str, Treated] = {}
    fresh = False
    with progress.step("De-identifying", float(len(places.sources))) as shown:
        for path, source in sorted(places.sources, key=lambda s: s[0] in joining):
            if path in joining and order.known is None:
                order = replace(order, known=KnownKeys.of(k for e in entries.values() for k in e.keys))
            name, stamp = names[path], _stamp(source)
            entry = ledger.known.get(path)
            finished = (
                entry is not None
                and entry.stamp == stamp
                and (not entry.name or (entry.name == name and (places.staging / name).is_file()))
                and not (fresh and path in joining)  # its keys may be others now
            )
            if entry is None or not finished:
                case = order.pseudonyms.code("case", path)
                entry = _treated(Treated(path, case, name, stamp=stamp), source, places.staging, order)
                ledger.add(entry)
                fresh = fresh or path not in joining
            entries[path] = entry
            shown.advance(1.0, f"{sum(not e.reason for e in entries.values())} written")
    return [entries[path] for path, _ in places.sources]


def _joins(source: Path) -> bool:
    """Tell whether a file is a table, which names files and patients of others."""
    if source.is_symlink():
        return False
    try:
        return scrubber_for(head_of(source), source.name) in _JOINING
    except HounsfieldError:
        return False


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
        coded=result.coded,
        kept=result.kept,
        keys=result.keys,
        texts=(*result.texts, *named_words(blank.path)),
    )


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
