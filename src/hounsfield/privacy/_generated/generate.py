"""Make `confidentiality.py`, Table E.1-1 of DICOM PS3.15 with its option columns, from the tables of two packages.

Two sources, since neither is enough. `dicom-anonymizer` follows the standard closely (edition 2026c) but has the
column of the Basic Profile only; `dicom-standard` has all columns, of an older edition (2020). So the rows and the
basic action are those of 2026c. The option columns are those of 2020 where the row was there already; rows that
came later get an option only where the standard's own rule for that column is plain from the kind of attribute
(dates and times; unique identifiers; descriptions, comments and labels), and otherwise none, which removes more
rather than less.

Run it as ``python -m hounsfield.privacy._generated.generate DICOMFIELDS_2026C.PY
CONFIDENTIALITY_PROFILE_ATTRIBUTES.JSON OUTPUT.PY``.
"""

import json
import re
import sys
from pathlib import Path

COLUMNS = {
    "rtnUIDsOpt": "u",
    "rtnDevIdOpt": "d",
    "rtnInstIdOpt": "i",
    "rtnPatCharsOpt": "p",
    "rtnLongFullDatesOpt": "f",
    "rtnLongModifDatesOpt": "m",
    "cleanDescOpt": "c",
    "cleanStructContOpt": "s",
    "cleanGraphOpt": "g",
}
GROUP = re.compile(r"^([A-Z_]+)_TAGS = \[")
ROW = re.compile(r"^\s*\((0x[0-9A-Fa-f]{4}), (0x[0-9A-Fa-f]{4})\),\s*# (.+?)\s*$")
TEXT_KINDS = re.compile(r"(Description|Comments?|Label|Text|Name)$")
TIME_KINDS = re.compile(r"(Date|Time|DateTime|Timestamp|Date Value|Time Value|Pulse)$")

HEADER = '''"""DICOM PS3.15 Table E.1-1, Confidentiality Profile Attributes; made by generate.py, not edited.

Rows and basic actions: edition 2026c, from the package dicom-anonymizer 2.1.0 (Copyright 2020 Kitware Europe,
BSD-3-Clause).
Option columns: edition of 2020, from the package dicom-standard 0.1.0 (Copyright 2017 Innolitics LLC, MIT); for
rows that are younger, by the kind of attribute, as generate.py says. The licences' texts are in NOTICE.txt beside
this file.

A line is: tag, action of the Basic Profile, options (``-`` for none), name. An option is a letter with the action
that it gives:
u retain UIDs, d retain device identity, i retain institution identity, p retain patient characteristics, f retain
full dates, m retain modified dates, c clean descriptors, s clean structured content, g clean graphics.
"""

EDITION = "PS3.15 2026c"

TABLE = """\\
'''


def actions(source: str) -> dict[str, tuple[str, str]]:
    """Return ``tag -> (action, name)`` as `dicom-anonymizer` lists them, without rows for whole groups."""
    found: dict[str, tuple[str, str]] = {}
    action = ""
    for line in source.splitlines():
        if group := GROUP.match(line):
            action = group[1].replace("_STAR", "*").replace("_", "/")
        elif row := ROW.match(line):
            found[(row[1][2:] + row[2][2:]).upper()] = (action, row[3].partition("(see")[0].strip())
    return found


def options(source: str) -> dict[str, str]:
    """Return ``tag -> options`` as `dicom-standard` lists them."""
    return {
        row["id"].upper(): "".join(letter + row[column] for column, letter in COLUMNS.items() if row.get(column))
        for row in json.loads(source)
    }


def younger(action: str, name: str) -> str:
    """Return the options of a row that the older table lacks, by the kind of attribute."""
    if action.startswith("U"):
        return "uK"
    if TIME_KINDS.search(name):
        return "fKmC"
    return "cC" if TEXT_KINDS.search(name) and "Person" not in name else ""


def lines(basic: dict[str, tuple[str, str]], older: dict[str, str]) -> list[str]:
    """Return the lines of the table in the order of the tags."""
    return [
        f"{tag} {action} {(older[tag] if tag in older else younger(action, name)) or '-'} {name}"
        for tag, (action, name) in sorted(basic.items())
    ]


def main(fields: Path, profile: Path, output: Path) -> None:
    """Write the table."""
    rows = lines(actions(fields.read_text("utf-8")), options(profile.read_text("utf-8")))
    output.write_text(HEADER + "\n".join(rows) + '\n"""\n', encoding="utf-8")


if __name__ == "__main__":
    main(*(Path(word) for word in sys.argv[1:4]))
