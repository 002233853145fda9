"""The second pass over everything that was written: what it finds something in is taken away again."""

import mmap
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hounsfield.core.progress import Progress
from hounsfield.data.dicom.terms import standard_words
from hounsfield.data.scrubbers.naming import telling_parts
from hounsfield.privacy.descriptors import WORDS
from hounsfield.privacy.scanner import Leak, Scanner
from hounsfield.privacy.watched import Clean, words_of
from hounsfield.workflow.deidentify_ledger import Treated
from hounsfield.workflow.deidentify_places import Places

_PLACES = 3
_MAKERS = frozenset(
    """
    siemens philips toshiba canon hitachi hologic fuji fujifilm agfa kodak carestream samsung mindray esaote
    shimadzu healthcare healthineers systems varian elekta brainlab nikon olympus zeiss topcon heidelberg python
    program version converted created exported picture photo screenshot screen copy final sample file files
    folder export exports anon dicom nifti jpeg tiff nrrd text licence license hounsfield rtdose rtplan rtstruct
    """.split()  # noqa: SIM905 - a list of quoted words is harder to read
)
"""Makers of devices and words of programs: they stand in clean files, too."""


def searched(
    places: Places, entries: Sequence[Treated], progress: Progress
) -> tuple[list[Treated], dict[str, list[str]], Scanner]:
    """Search every output and its name; a file in which something is found is removed.

    Returns
    -------
    entries, leaks, scanner : list, dict, Scanner
        What became of each input, the places by case, and what they were found with.
    """
    scanner = Scanner(
        (v for e in entries for v in e.identifiers),
        (t for e in entries for t in e.texts),
        common=standard_words() | WORDS | _plurals() | _MAKERS,
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


def _plurals() -> frozenset[str]:
    return frozenset(f"{word}s" for word in WORDS)


def _leaks(scanner: Scanner, path: Path, entry: Treated) -> tuple[Leak, ...]:
    own = (*entry.identifiers, *entry.texts)
    name = "/".join(telling_parts(entry.name))
    named = scanner.leaks_in_name(name, own=own, identifiers=entry.identifiers)
    if named or path.stat().st_size == 0:
        return named
    # what a file keeps by rule
    clean = Clean(words_of(entry.coded), words_of(entry.kept))
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        view = memoryview(content)
        try:
            return scanner.leaks(view, own=own, identifiers=entry.identifiers, clean=clean)
        finally:
            view.release()
