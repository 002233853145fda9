"""Columns of masks that no name gives away: told by what their files hold, or by the user."""

from collections.abc import Collection, Mapping
from shlex import quote

from hounsfield.core.errors import ReadError
from hounsfield.data.file_columns import FileColumn
from hounsfield.data.files import Files, reader_by_ending
from hounsfield.data.raster import values_beside_black
from hounsfield.data.words import is_image, is_numbered, is_opinion, names_image_only

_PROBED = 5


def with_told_masks(
    columns: Mapping[str, FileColumn],
    roles: Mapping[str, str],
    *,
    asked: Collection[str],
    said: Collection[str],
    files: Files,
) -> dict[str, str]:
    """Return the roles of columns of files, those that hold masks by their content among them.

    Parameters
    ----------
    columns : mapping of str to FileColumn
    roles : mapping of str to str
        What names and paths say of each.
    asked : collection of str
        Columns that the user names as the answer: their files are masks, whatever they are called.
    said : collection of str
        Columns that the user names as the picture.
    files : Files

    Notes
    -----
    Pictures of black and one other value are masks only beside pictures that are not: drawings alone stay pictures.
    Of masks, those that are named after a second reader are that reader's.
    """
    told = {**roles, **{c: "mask" for c in asked if c in columns and columns[c].explicit}}
    able = [c for c, f in columns.items() if f.explicit and told[c] == "image" and c not in said]
    if len(able) + len(said) < 2:
        return told  # there is nothing that another column could be a mask of
    drawn = [c for c in able if not names_image_only(c) and _drawn_on_black(columns[c], files)]
    if len(drawn) == len(able) and not said:
        return told
    beside = "mask" in told.values() or not all(is_opinion(c) for c in drawn)
    told |= {c: "opinion" if is_opinion(c) and beside else "mask" for c in drawn}
    left = [c for c in able if told[c] == "image"]
    by_name = [c for c in left if is_opinion(c) and not (is_numbered(c) or is_image(c))]
    if "mask" in told.values() and (said or len(by_name) < len(left)):
        told |= dict.fromkeys(by_name, "opinion")
    return told


def doubts(masks: Collection[str], opinions: Collection[str]) -> list[str]:
    """Return where a second structure may have been taken for a second reader, by the end of its name alone.

    Parameters
    ----------
    masks, opinions : collection of str
        Columns that are learned, and columns that are taken for a second reader's.
    """
    return [
        f"Column {column!r} is taken for a second reader's masks by the end of its name, and is not learned; say "
        f"{' '.join(f'--target {quote(c)}' for c in (*masks, column))} to learn it as a structure of its own."
        for column in opinions
        if is_numbered(column)
    ]


def _drawn_on_black(column: FileColumn, files: Files) -> bool:
    """Tell by its first files whether a column holds black and one other value, in one of them at least both."""
    probed = [p for p in column.paths if p is not None and reader_by_ending(p) == "raster"][:_PROBED]
    both = False
    for path in probed:
        try:
            values = values_beside_black(files.root / path)
        except ReadError:
            continue  # a damaged file says nothing; it is set aside when it is read
        if values == 0:
            return False
        both |= values == 2
    return both
