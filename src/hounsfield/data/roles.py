"""What each column of a table is for: content first, names second, and what the user said before both."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from hounsfield.core.cohort import ColumnRole, Roles
from hounsfield.core.errors import CohortError, unknown_name
from hounsfield.data.answers import answered, fold, kind_of
from hounsfield.data.file_columns import (
    FileColumn,
    check_image_column,
    choose_image,
    file_columns,
    resolve_column,
    role_of_file_column,
)
from hounsfield.data.files import Files
from hounsfield.data.mask_columns import doubts, with_told_masks
from hounsfield.data.part_columns import with_part_words
from hounsfield.data.relations import leak, mapping, same
from hounsfield.data.table import Column, Sheet, parse_number
from hounsfield.data.words import (
    ends_in_illness,
    group_strength,
    is_attribute,
    is_id,
    is_image,
    is_record,
    is_size,
    is_time,
    part_of,
    target_strength,
)

ROLE_NAMES = (
    "image", "target", "same as target", "split", "patient", "id", "mask", "opinion", "region", "time",
    "attribute", "site", "input", "covariate", "leaks the answer", "record", "free text", "constant", "unused",
)  # fmt: skip
Subject = Literal["pictures", "signals", "rows"]
_UID = re.compile(r"\d+(\.\d+){4,}$")
"""An identifier, as DICOM writes classes, syntaxes and instances: it answers nothing."""
_MANY_TEXTS = 20
_LONG_TEXT = 60


@dataclass(frozen=True)
class Understood:
    """A table whose columns are understood.

    Parameters
    ----------
    sheet : Sheet
        The table.
    roles : tuple of ColumnRole
        One per column, in table order.
    files : dict of str to FileColumn
        The columns that mean files.
    twins : dict of str to str
        A target column to the column that holds the same under other names.
    notes, unsure : tuple of str
        What was understood, and what a person should check.
    """

    sheet: Sheet
    roles: tuple[ColumnRole, ...]
    files: dict[str, FileColumn] = field(repr=False)
    twins: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()

    def columns(self, *roles: str) -> tuple[str, ...]:
        """Return the columns with one of some roles, in table order."""
        return tuple(r.column for r in self.roles if r.role in roles)

    def column(self, role: str) -> str | None:
        """Return the first column with a role, or None."""
        return next(iter(self.columns(role)), None)


def infer_roles(
    sheet: Sheet,
    files: Files,
    roles: Roles,
    *,
    corrections: Mapping[str, str] | None = None,
    subject: Subject = "pictures",
) -> Understood:
    """Find out what each column of a table is for.

    Parameters
    ----------
    sheet : Sheet
        The table.
    files : Files
        What lies in the folder.
    roles : Roles
        What the user said; always wins.
    corrections : mapping of str to str, optional
        Column to role, from ``cohort.yaml``; wins over what is inferred.
    subject : str
        What the rows are about: ``pictures`` or ``signals`` in files that a column names, or nothing but the ``rows``
        themselves. Only of pictures a width or height says how the file came about.

    Raises
    ------
    CohortError
        If no column means the images, or several columns could be the answer with equal right.
    UnknownNameError
        If a column that the user named does not exist.
    """
    draft = _Draft(with_part_words(sheet, roles), files, {**dict(roles.columns), **(corrections or {})}, roles)
    draft.force()
    draft.find_split()
    draft.subject = subject
    if subject != "rows":
        draft.find_files()
    draft.find_patient()
    draft.find_records()
    draft.find_id()
    draft.find_targets()
    draft.find_relations()
    draft.find_rest()
    listed = tuple(
        ColumnRole(table=sheet.name, column=c, role=draft.found[c][0], reason=draft.found[c][1]) for c in sheet.columns
    )
    return Understood(draft.sheet, listed, draft.files_found, draft.twins, tuple(draft.notes), tuple(draft.unsure))


class _Draft:
    """The roles found so far; each step looks only at columns that have none yet."""

    def __init__(self, sheet: Sheet, files: Files, corrections: dict[str, str], roles: Roles) -> None:
        self.sheet = sheet
        self.files = files
        self.asked = roles
        self.corrections = corrections
        self.subject: Subject = "pictures"
        self.found: dict[str, tuple[str, str]] = {}
        self.files_found: dict[str, FileColumn] = {}
        self.twins: dict[str, str] = {}
        self.notes: list[str] = list(sheet.notes)
        self.unsure: list[str] = []

    def set(self, column: str, role: str, reason: str) -> None:
        self.found.setdefault(column, (role, reason))

    def open(self) -> list[str]:
        return [c for c in self.sheet.columns if c not in self.found]

    def with_role(self, role: str) -> list[str]:
        return [c for c in self.sheet.columns if self.found.get(c, ("", ""))[0] == role]

    def cells(self, column: str) -> Column:
        return self.sheet.columns[column]

    def force(self) -> None:
        said: list[tuple[str | None, str]] = [
            (self.asked.image, "image"),
            (self.asked.group, "patient"),
            (self.asked.split, "split"),
            *((t, "target") for t in self.asked.target),
        ]
        for column, role in said:
            if column is not None:
                self.set(self._existing(column), role, "said by the user")
        for column, role in self.corrections.items():
            if role not in ROLE_NAMES:
                raise unknown_name("column role", role, ROLE_NAMES)
            self.set(self._existing(column), role, "said in cohort.yaml")

    def _existing(self, column: str) -> str:
        if column not in self.sheet.columns:
            raise unknown_name("column", column, self.sheet.columns)
        return column

    def find_split(self) -> None:
        if self.with_role("split"):
            return
        for column in self.open():
            values = {v for v in self.cells(column) if v is not None}
            named = {v for v in values if part_of(v) is not None}
            told = any(w in column.casefold() for w in ("split", "part", "subset", "fold", "set", "phase", "划分"))
            if values and named == values and (len({part_of(v) for v in values}) >= 2 or told):
                self.set(column, "split", f"its values are {', '.join(sorted(values))}")
                return

    def hints(self) -> Column | None:
        split = self.with_role("split")
        return self.cells(split[0]) if split else None

    def judged(self) -> list[int]:
        """Rows outside the test part: what is concluded from answers must not depend on test answers."""
        hints = self.hints()
        if hints is None:
            return list(range(self.sheet.rows))
        rows = [i for i, v in enumerate(hints) if v is None or part_of(v) != "test"]
        return rows or list(range(self.sheet.rows))

    def find_files(self) -> None:
        self.files_found = file_columns(self.sheet, self.files, self.hints())
        for column in self.with_role("image"):
            self.files_found[column] = resolve_column(column, self.cells(column), files=self.files, hints=self.hints())
        able = {
            c: f for c, f in self.files_found.items() if c not in self.found or self.found[c][0] in ("target", "image")
        }
        named = {c: role_of_file_column(f, self.files) for c, f in able.items()}
        asked, said = self.with_role("target"), self.with_role("image")
        roles = with_told_masks(able, named, asked=asked, said=said, files=self.files)
        image = next(iter(self.with_role("image")), None) or choose_image(able, roles)
        if image is None:
            raise CohortError(
                f"No column of {self.sheet.name!r} names the images.",
                expected="a column of file names, or of keys that are file names without ending",
                next_step="name the column with --image",
            )
        chosen = self.files_found[image]
        check_image_column(chosen, self.sheet)
        what = "paths of files in the folder" if chosen.explicit else "keys that are file names without ending"
        self.set(image, "image", f"{what}, {len(chosen.used)} found")
        for column in able:
            self._other_file_column(column, roles[column])
        opinions = [c for c in self.with_role("opinion") if c in able]
        self.unsure += doubts(self.with_role("mask"), opinions)

    def _other_file_column(self, column: str, role: str) -> None:
        explicit = self.files_found[column].explicit
        if column in self.found and self.found[column][0] == "target" and role == "mask":
            self.found[column] = ("mask", "said to be the target; its values are paths of masks")
        elif role in ("mask", "opinion", "region"):
            what = {"mask": "masks", "opinion": "a second reader's masks", "region": "regions"}[role]
            self.set(column, role, f"paths of {what}")
        elif role == "record":
            self.set(column, "record", "names of the files before they came here")
        elif explicit:
            self.set(column, "unused", "paths of other images")
            if self.found[column][0] == "unused":
                self.unsure.append(f"Column {column!r} names images too; say --image {column} to use it instead.")

    def find_patient(self) -> None:
        if self.with_role("patient"):
            return
        able = []
        for column in self.open():
            values = [v for v in self.cells(column) if v is not None]
            repeated = len(set(values)) < 0.95 * len(values)
            strength = group_strength(column)
            if values and len(set(values)) > 1 and (strength == 2 or (strength == 1 and repeated)):
                able.append((strength, -len(set(values)), column))
        if not able:
            return
        able.sort(key=lambda a: (-a[0], -a[1]))
        best = able[0][2]
        count = -able[0][1]
        self.set(best, "patient", f"{count} patients")
        for _, _, column in able[1:]:
            if group_strength(column) == 2:
                self.set(column, "unused", f"divides the samples finer than {best}")

    def find_records(self) -> None:
        for column in self.open():
            cells = self.cells(column)
            if all(c is None for c in cells):
                self.set(column, "constant", "empty")
            elif is_time(column) and _mostly_numbers(cells):
                self.set(column, "time", "days")
            elif len({c for c in cells if c is not None}) == 1 and None not in cells and target_strength(column) < 2.5:
                self.set(column, "constant", "one value in every row")
            elif (
                is_record(column)
                and (self.subject == "pictures" or not is_size(column))
                and target_strength(column) < 2.5
            ):
                self.set(column, "record", "says how the file came about")

    def find_id(self) -> None:
        if self.with_role("id"):
            return
        for column in self.open():
            cells = self.cells(column)
            unique = None not in cells and len(set(cells)) == len(cells) > 1
            by_stem = column in self.files_found and not self.files_found[column].explicit
            if unique and (is_id(column) or by_stem):
                self.set(column, "id", "unique in every row")
                return

    def find_targets(self) -> None:
        if self.with_role("target") or (self.asked.target and self.with_role("mask")):
            return
        able = {c: s for c in self.open() if (s := self._strength(c)) is not None}
        named = {c: s for c, s in able.items() if s > 0}
        if not named and not self.with_role("mask"):
            named = {c: s for c, s in able.items() if not is_attribute(c)}
        groups = self._grouped(named)
        if not groups:
            return
        strongest = max(max(named[c] for c in g) for g in groups)
        best = [g for g in groups if max(named[c] for c in g) == strongest]
        if len(best) > 1:
            names = sorted(min(g, key=lambda c: (-named[c], c)) for g in best)
            raise CohortError(
                f"Several columns of {self.sheet.name!r} could be the answer: {', '.join(names)}.",
                expected="one answer",
                next_step=f"choose with --target {names[0]}",
            )
        chosen = best[0]
        numeric = {c: all(parse_number(v) is not None for v in self.cells(c) if v is not None) for c in chosen}
        target = min(chosen, key=lambda c: (numeric[c], -named[c], list(self.sheet.columns).index(c)))
        self.set(target, "target", "its name and its few values" if strongest > 0 else "the one column with few values")
        if strongest < 2:
            self.unsure.append(f"Column {target!r} is taken for the answer; say --target if another one is.")
        others = sorted(c for g in groups if g is not chosen for c in g)
        if others:
            self.unsure.append(f"Other columns that could be asked: {', '.join(others)} (--target NAME).")

    def _strength(self, column: str) -> float | None:
        """Return how strongly a column offers itself as the answer, None where it cannot be one."""
        cells = answered(self.cells(column))
        present = [v for v in cells if v is not None]
        if present and sum(bool(_UID.match(v.strip())) for v in present) > 0.5 * len(present):
            return None
        kind = kind_of(cells)
        strength = target_strength(column)
        if (
            kind is None
            or (kind == "number" and strength < 2.5)
            or (is_attribute(column) and strength < 2.5 and not (strength == 2.0 and ends_in_illness(column)))
        ):
            return None
        classes = len({fold(v) for v in present})
        if kind == "categorical" and classes > _MANY_TEXTS and strength < 2.5:
            return None
        if strength == 0 and (is_image(column) or classes < 2 or classes > max(2, len(present) // 5)):
            return None
        if len(present) < 0.5 * len(cells):
            return strength - 1.0 if strength >= 2.0 else None
        return strength

    def _grouped(self, able: Iterable[str]) -> list[list[str]]:
        rows = self.judged()
        groups: list[list[str]] = []
        for column in able:
            for group in groups:
                if same(self.cells(column), self.cells(group[0]), rows):
                    group.append(column)
                    break
            else:
                groups.append([column])
        return groups

    def find_relations(self) -> None:
        rows = self.judged()
        for target in self.with_role("target"):
            cells = answered(self.cells(target))
            if kind_of(cells) != "categorical":
                continue
            for column in self.open():
                if same(self.cells(column), cells, rows):
                    self.set(column, "same as target", f"{self._pairs(column, target, rows)}")
                    self.twins.setdefault(target, column)
        for column in self.with_role("covariate"):
            self._check_covariate(column, rows)
        for column in self._leakable():
            for target in self.with_role("target"):
                cells = answered(self.cells(target))
                how = leak(self.cells(column), cells, rows) if kind_of(cells) == "categorical" else None
                if how is not None:
                    self.found[column] = ("leaks the answer", how)
                    break

    def _check_covariate(self, column: str, rows: list[int]) -> None:
        """Refuse a covariate that is the answer under another name, or gives it away."""
        for target in self.with_role("target"):
            cells = answered(self.cells(target))
            if kind_of(cells) != "categorical":
                continue
            own = self.cells(column)
            how = f"it is {target!r} under another name" if same(own, cells, rows) else leak(own, cells, rows)
            if how is not None:
                raise CohortError(
                    f"Column {column!r} is said to be a covariate, and gives the answer away: {how}.",
                    expected="what is known of a patient before the answer is, such as age or sex: features harmonised "
                    "with the answer in view carry it with them",
                    next_step=f"take {column!r} out of columns in cohort.yaml",
                )

    def _leakable(self) -> list[str]:
        return [c for c in self.sheet.columns if c not in self.found or self.found[c][1] in ("days", _RECORD_REASON)]

    def _pairs(self, column: str, target: str, rows: list[int]) -> str:
        pairs = mapping(self.cells(column), self.cells(target), rows)
        return f"{len(pairs)} values, one for each class of {target}"

    def find_rest(self) -> None:
        for column in self.open():
            values = [v for v in self.cells(column) if v is not None]
            distinct = len(set(values))
            if all(parse_number(v) is not None for v in values):
                self.set(column, "attribute", "numbers")
            elif _mostly_numbers(self.cells(column)):
                self.set(column, "attribute", "numbers, a few cells are not")
            elif max(len(v) for v in values) <= _LONG_TEXT and (
                distinct <= max(_MANY_TEXTS, len(values) // 10) or is_attribute(column)
            ):
                self.set(column, "attribute", f"{distinct} different values")
            elif sum(len(v) for v in values) > 25 * len(values):
                self.set(column, "free text", "long texts")
            else:
                self.set(column, "unused", f"{distinct} different texts")


def _mostly_numbers(cells: Column) -> bool:
    present = [c for c in cells if c is not None]
    return sum(parse_number(c) is not None for c in present) >= 0.9 * len(present) > 0


_RECORD_REASON = "says how the file came about"
