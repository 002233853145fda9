"""Rows without answers for a bundle: every row of a table is a case."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from hounsfield.core.cohort import Cohort, InputSpec, Reading, Ref, Sample, Schema
from hounsfield.core.errors import CohortError, nearest
from hounsfield.core.kinds import Wanted
from hounsfield.data.files import list_files, stem
from hounsfield.data.rows import unique_ids
from hounsfield.data.table import Sheet, read_table
from hounsfield.data.words import is_id


def loose_rows(paths: Sequence[str | Path], wanted: Mapping[str, Wanted]) -> tuple[Cohort, ...]:
    """Return the rows of tables as cases of a bundle's inputs; columns that it does not look at are left alone.

    Parameters
    ----------
    paths : sequence of str or pathlib.Path
        Tables, or folders of tables.
    wanted : mapping of str to Wanted
        Variables of each input by its name; all of them are looked for in the same row.

    Returns
    -------
    tuple of Cohort
        One for each table.

    Raises
    ------
    CohortError
        If a path does not exist, is no table, or has none of the variables.
    """
    tables = [found for p in paths for found in _tables(Path(p))]
    made = [_cohort(path, wanted) for path in tables]
    if len(made) == 1:
        return tuple(made)
    names = unique_ids([c.name for c in made])
    return tuple(
        Cohort(
            name=c.name,
            root=c.root,
            samples=tuple(Sample(id=f"{n}/{s.id}", patient=f"{n}/{s.id}", inputs=s.inputs) for s in c.samples),
            schema=c.schema,
        )
        for n, c in zip(names, made, strict=True)
    )


def _tables(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    found = [path / name for name in list_files(path).tables] if path.is_dir() else []
    if not found:
        raise CohortError(
            f"{path.name!r} is no table and no folder that holds one.",
            expected="a CSV, TSV, Excel (.xlsx) or Parquet file with a head",
            next_step="check the path",
        )
    return found


def _cohort(path: Path, wanted: Mapping[str, Wanted]) -> Cohort:
    sheet = read_table(path, path.name)
    names = [c.name for own in wanted.values() for c in own.columns]
    if not any(n in sheet.columns for n in names):
        near = nearest(names[0], list(sheet.columns)) if names else None
        raise CohortError(
            f"The table {path.name!r} has none of the variables that the model looks at.",
            expected=f"columns {', '.join(names[:8])}{', ...' if len(names) > 8 else ''}",
            next_step=f"name them so: is {near!r} the column {names[0]!r}?" if near else "name the columns so",
        )
    specs = tuple(InputSpec(name=n, kind="row", ndim=0, columns=own.columns) for n, own in wanted.items())
    samples = tuple(
        Sample(
            id=i,
            patient=i,
            inputs={n: (Reading(Ref("columns", path.name, (("table", n), ("row", row)))),) for n in wanted},
        )
        for row, i in enumerate(_ids(sheet, names))
    )
    return Cohort(
        name=stem(path.name), root=str(path.parent), samples=samples, schema=Schema(inputs=specs, layout="table")
    )


def _ids(sheet: Sheet, variables: Sequence[str]) -> list[str]:
    """Return the cells of the first column that names the rows, else their numbers, the head being row 1."""
    named = next((c for c in sheet.columns if is_id(c) and c not in variables), None)
    cells = sheet.columns[named] if named is not None else (None,) * sheet.rows
    return unique_ids([c or f"row {i + 2}" for i, c in enumerate(cells)])
