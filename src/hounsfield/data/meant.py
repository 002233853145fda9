"""Which file each cell of a column means, judged by the whole column: one missing file is never made up for."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from hounsfield.data.files import (
    EXACT,
    FOLDERS,
    LOOSE,
    WHOLE,
    Files,
    clean_path,
    folded,
    looks_like_mask,
    plain_key,
    stem,
)


@dataclass
class Meaning:
    """What one cell means.

    Parameters
    ----------
    text : str
        The cell, relative to the root.
    hint : str
        A text of its row that decides between folders; ``""`` for none.
    paths : list of str
        Files that it may mean: none where it is missing, several where it cannot be told.
    grade : int
        How well the text agrees with them: see `Files.match`.
    """

    text: str
    hint: str
    paths: list[str] = field(repr=False)
    grade: int

    @property
    def path(self) -> str | None:
        """The file that it means."""
        return self.paths[0] if len(self.paths) == 1 else None

    @property
    def folders(self) -> str:
        """The folders that the text names."""
        return folded(clean_path(self.text)).rpartition("/")[0]


def meanings(
    texts: Sequence[tuple[str, str] | None], files: Files, *, folder: str = "", masks: bool = False
) -> list[Meaning | None]:
    """Return what each cell of a column means.

    Parameters
    ----------
    texts : sequence of ((str, str) or None)
        Cell and hint, row by row.
    files : Files
    folder : str
        Of the table; cells may be relative to it.
    masks : bool
        Whether the column is one of masks: of files of one name those that look like masks are meant, else pictures.

    Returns
    -------
    list of (Meaning or None)
        None for an empty cell.

    Notes
    -----
    A name that lies in another folder than the cell says, or has another ending, is what is meant only where the
    column leaves no doubt. It is not where any cell's own folder is right (the others' files are missing then); where
    the folder in which it lies holds files that other cells could mean and do not (masks beside pictures, another
    part, a copy); or where another cell means that file by its right name.
    """
    found = [None if t is None else _meaning(t, files, folder=folder, masks=masks) for t in texts]
    told = [m for m in found if m is not None]
    _refuse_other_folders(told)
    _refuse_parallel_folders(told, files)
    _refuse_taken(told)
    return found


def _meaning(told: tuple[str, str], files: Files, *, folder: str, masks: bool) -> Meaning:
    text, hint = told
    match = files.match(text, folder)
    several = [p for p in match.paths if looks_like_mask(p) == masks] or list(match.paths)
    if len(several) > 1 and hint:
        several = [p for p in several if hint in p.casefold().split("/")[:-1]] or several
    return Meaning(text, hint, several, match.grade)


def _refuse_other_folders(told: Sequence[Meaning]) -> None:
    """Take away what lies in other folders than the cells say, where the folders of any cell are right."""
    placed = [m for m in told if m.folders and m.paths]
    least = min(FOLDERS, max((m.grade for m in placed), default=LOOSE))
    for meaning in placed:
        if meaning.grade < least:
            meaning.paths = []


def _refuse_parallel_folders(told: Sequence[Meaning], files: Files) -> None:
    """Take away what was found only in a folder that most cells have passed by for another."""
    won: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    doubtful: dict[tuple[tuple[str, str], str], list[Meaning]] = defaultdict(list)
    for meaning in told:
        if meaning.path is not None:
            key, place = (meaning.folders, meaning.hint), meaning.path.rpartition("/")[0]
            won[key][_name(meaning.path)] = place
            if meaning.grade == LOOSE or (not meaning.folders and meaning.grade < EXACT):
                doubtful[key, place].append(meaning)
    for (key, place), only in doubtful.items():
        passed = sum(won[key].get(name, place) != place for name in files.names_in(place))
        if passed > len(only):
            for meaning in only:
                meaning.paths = []


def _refuse_taken(told: Sequence[Meaning]) -> None:
    """Take away a file under another name or ending from a cell where another cell means it with more right."""
    claims: dict[str, Counter[tuple[int, str]]] = defaultdict(Counter)
    for meaning in told:
        if meaning.path is not None:
            claims[meaning.path][min(meaning.grade, WHOLE), _name_of(meaning)] += 1
    for meaning in told:
        if meaning.path is None or meaning.grade >= WHOLE:
            continue
        others = [grade for grade, text in claims[meaning.path] if text != _name_of(meaning)]
        if any(grade >= meaning.grade for grade in others):
            meaning.paths = []


def _name_of(meaning: Meaning) -> str:
    return plain_key(folded(clean_path(meaning.text)))


def _name(path: str) -> str:
    return plain_key(folded(stem(path)))
