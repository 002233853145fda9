"""A folder of EDF, EDF+ or BDF recordings with a table of answers or class folders."""

from dataclasses import replace
from pathlib import Path

from hounsfield.core.cohort import Cohort, Roles
from hounsfield.data.files import Files, ending, list_files
from hounsfield.data.layouts.record_cohort import cohort_of_records, understood_records
from hounsfield.data.layouts.record_marks import told_annotations
from hounsfield.data.layouts.record_tables import record_table, tells_patients
from hounsfield.data.layouts.records import look_at, record_files, signal_inputs
from hounsfield.data.signal.edf_patients import patients_of

ENDINGS = (".edf", ".bdf", ".rec")


class EdfLayout:
    """One sample for each recording."""

    def claims(self, root: Path, roles: Roles) -> float:
        """Return .92 where there is an EDF or BDF file."""
        if root.is_file():
            return 0.92 if _found(Files(root.parent, (root.name,))) else 0.0
        return 0.92 if root.is_dir() and _found(list_files(root), first=True) else 0.0

    def cohort(self, root: Path, roles: Roles) -> Cohort:
        """Return the cohort.

        Raises
        ------
        CohortError
            If no recording can be read, or several columns could be the answer.
        """
        files = list_files(root if root.is_dir() else root.parent)
        paths = _found(files) if root.is_dir() else [root.name]
        own = record_files(files, paths)
        records = look_at(own, paths, "edf")
        inputs = signal_inputs(records, "edf")
        inputs = replace(inputs, notes=(*inputs.notes, *told_annotations(own, records)))
        table = record_table(own, roles)
        whose = patients_of(files.root, [r.path for r in records if r.header is not None])
        if whose and not tells_patients(table):
            table = record_table(own, roles, said={path: {"patient": name} for path, name in whose.items()})
        understood = understood_records(own, table, roles)
        return cohort_of_records(understood, own, inputs, table=table, roles=roles, layout="edf")


def _found(files: Files, *, first: bool = False) -> list[str]:
    """Return the recordings; all files of these endings but ``.rec``, which is also used by others."""
    from hounsfield.data.signal.edf import EdfReader

    found: list[str] = []
    for path in files.paths:
        end = ending(path)
        if end not in ENDINGS:
            continue
        if end == ".rec":
            try:
                with (files.root / path).open("rb") as stream:
                    if not EdfReader().sniff(stream.read(512), path):
                        continue
            except OSError:
                continue
        found.append(path)
        if first:
            break
    return found
