"""Columns that name files: which is the picture, which a mask, a second opinion, a region."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from hounsfield.core.errors import CohortError, ReadError, case_id
from hounsfield.data.files import IMAGE_ENDINGS, WHOLE, Files, clean_path, ending, looks_like_mask
from hounsfield.data.meant import meanings
from hounsfield.data.raster import is_bilevel
from hounsfield.data.table import Column, Sheet
from hounsfield.data.words import is_image, is_mask, is_opinion, is_record, is_region

_PROBED = 5
_FIRST = 200


@dataclass(frozen=True)
class FileColumn:
    """One column and the files that its cells mean.

    Parameters
    ----------
    column : str
        Its name.
    paths : tuple of (str or None)
        Path relative to the root, row by row; None where the cell is empty or means no file.
    explicit : bool
        Whether the cells are file names, not keys that happen to be a file's stem.
    share : float
        Part of the filled cells that mean a file, 0 to 1.
    outside, missing, ambiguous : tuple of int
        Rows whose path leads outside the folder, means no file, or means several.
    loose : tuple of int
        Rows that mean a file of another ending, or in another folder than they say.
    """

    column: str
    paths: tuple[str | None, ...] = field(repr=False)
    explicit: bool
    share: float
    outside: tuple[int, ...] = field(default=(), repr=False)
    missing: tuple[int, ...] = field(default=(), repr=False)
    ambiguous: tuple[int, ...] = field(default=(), repr=False)
    loose: tuple[int, ...] = field(default=(), repr=False)

    @property
    def used(self) -> set[str]:
        """The files that the column means."""
        return {p for p in self.paths if p is not None}


def file_columns(sheet: Sheet, files: Files, hints: Column | None = None) -> dict[str, FileColumn]:
    """Find the columns whose cells mean files.

    Parameters
    ----------
    sheet : Sheet
        The table.
    files : Files
        What lies in the folder.
    hints : tuple of (str or None), optional
        A text per row (its part or class) that decides between files of one name in several folders.

    Returns
    -------
    dict of str to FileColumn
        Columns at least half of whose filled cells mean files, or at least four fifths of which look like paths.
    """
    folder = PurePosixPath(sheet.name).parent.as_posix()
    folder = "" if folder == "." else folder
    found = {}
    for name, cells in sheet.columns.items():
        if not files.images and not _look_like_images(cells):
            continue  # nothing could be meant: ten thousand cells need not be looked up one by one
        resolved = resolve_column(name, cells, files=files, folder=folder, hints=hints)
        # A class 0 or an age 63 may be a file's stem by chance: keys are different in most rows.
        telling = resolved.explicit or len(resolved.used) >= 0.5 * sum(c is not None for c in cells)
        if (resolved.share >= 0.5 and telling) or (
            resolved.explicit and resolved.share + _unfound(resolved, cells) >= 0.8
        ):
            found[name] = resolved
    return {name: _without_taken(column, found, sheet.columns[name]) for name, column in found.items()}


def _without_taken(column: FileColumn, columns: Mapping[str, FileColumn], cells: Column) -> FileColumn:
    """Return a column of file names without files that another one means by their right names: its own are missing."""
    if not column.explicit or not column.loose or is_record(column.column):
        return column
    others = [other for other in columns.values() if other.explicit and other is not column]
    taken = {other.paths[i] for other in others for i in {*range(len(other.paths))} - {*other.loose}}
    lost = {i for i in column.loose if column.paths[i] in taken}
    if not lost:
        return column
    paths = tuple(None if i in lost else p for i, p in enumerate(column.paths))
    return replace(
        column,
        paths=paths,
        share=sum(p is not None for p in paths) / sum(c is not None for c in cells),
        missing=tuple(sorted({*column.missing, *lost})),
        loose=tuple(i for i in column.loose if i not in lost),
    )


def _look_like_images(cells: Column) -> bool:
    """Tell by the first cells whether a column holds names of image files."""
    some = [c for c in cells[:_FIRST] if c is not None] or [c for c in cells if c is not None][:_FIRST]
    return 2 * sum(ending(clean_path(c)) in IMAGE_ENDINGS for c in some) >= max(1, len(some))


def resolve_column(
    name: str, cells: Column, *, files: Files, folder: str = "", hints: Column | None = None
) -> FileColumn:
    """Find the file that each cell of a column means; see `FileColumn`."""
    filled = [cell for cell in cells if cell is not None]
    named = sum(ending(clean_path(cell)) in IMAGE_ENDINGS for cell in filled)
    told = [None if cell is None else files.relative(cell) for cell in cells]
    outside = tuple(i for i, cell in enumerate(cells) if cell is not None and told[i] is None)
    texts = [
        None if text is None else (text, (hints[i] or "").casefold() if hints else "") for i, text in enumerate(told)
    ]
    found = meanings(texts, files, folder=folder, masks=is_mask(name) and not is_image(name))
    share = sum(m is not None and m.path is not None for m in found) / len(filled) if filled else 0.0
    return FileColumn(
        name,
        tuple(m.path if m is not None else None for m in found),
        bool(filled) and named >= 0.8 * len(filled),
        share,
        outside,
        tuple(i for i, m in enumerate(found) if m is not None and not m.paths),
        tuple(i for i, m in enumerate(found) if m is not None and len(m.paths) > 1),
        tuple(i for i, m in enumerate(found) if m is not None and m.path is not None and m.grade < WHOLE),
    )


def _unfound(column: FileColumn, cells: Column) -> float:
    filled = sum(c is not None for c in cells)
    return (len(column.outside) + len(column.missing) + len(column.ambiguous)) / filled if filled else 0.0


def role_of_file_column(column: FileColumn, files: Files) -> str:
    """Return ``image``, ``mask``, ``opinion``, ``region`` or ``record``, by content and then by name."""
    name = column.column
    if not column.explicit:
        return "record" if is_record(name) else "image"
    if is_record(name) and column.share < 1.0:
        return "record"
    probed = [p for p in column.paths if p is not None][:_PROBED]
    if is_region(name) and not is_image(name):
        return "region"
    maskish = any(looks_like_mask(p) for p in probed) or (bool(probed) and all(_bilevel(p, files) for p in probed))
    if maskish or (is_mask(name) and not is_image(name)):
        return "opinion" if is_opinion(name) else "mask"
    return "record" if is_record(name) else "image"


def choose_image(columns: dict[str, FileColumn], roles: dict[str, str]) -> str | None:
    """Return the column that names the pictures: file names before keys, telling names before others."""
    able = [c for n, c in columns.items() if roles[n] == "image"]
    if not able:
        return None
    return max(able, key=lambda c: (c.explicit, is_image(c.column), c.share, len(c.used))).column


def check_image_column(column: FileColumn, sheet: Sheet) -> None:
    """Refuse paths outside the folder and tables none of whose images exist.

    Raises
    ------
    CohortError
        With the number of rows and the first case.
    """
    if column.outside:
        row = column.outside[0]
        raise CohortError(
            f"{len(column.outside)} image paths in {sheet.name!r} lead outside the data folder "
            f"(first in row {row + 2}, case {case_id(sheet.columns[column.column][row] or '')}).",
            expected="paths relative to the folder, without '..'",
            next_step="copy the files into the folder and correct the column, or give the folder above as the data",
        )
    if not column.used:
        missing = len(column.missing) + len(column.ambiguous)
        raise CohortError(
            f"None of the {missing} images named in column {column.column!r} of {sheet.name!r} exists.",
            expected="file names relative to the folder of the table",
            next_step="check the folder, or name the right column with --image",
        )


def _bilevel(path: str, files: Files) -> bool:
    try:
        return is_bilevel(files.root / path)
    except ReadError:
        return False
