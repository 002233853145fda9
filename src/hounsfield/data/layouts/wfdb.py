"""A folder of WFDB records: beats or rhythms where they are annotated, else one answer for each record."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hounsfield.core.cohort import Cohort, Ref, Roles
from hounsfield.core.errors import CohortError, ReadError, unknown_name
from hounsfield.data.files import Files, list_files
from hounsfield.data.layouts.beats import BEATS, asked_classes, cohort_of_beats
from hounsfield.data.layouts.record_cohort import cohort_of_records, said_of_records, understood_records
from hounsfield.data.layouts.record_marks import told_checksums
from hounsfield.data.layouts.record_tables import RecordTable, record_table
from hounsfield.data.layouts.records import Record, RecordFiles, SignalInputs, look_at, record_files, signal_inputs
from hounsfield.data.layouts.rhythms import RHYTHM, WINDOW_S, cohort_of_rhythms, window_seconds
from hounsfield.data.roles import Understood
from hounsfield.data.signal.wfdb.aami import AAMI_CLASSES, CLASS_OF
from hounsfield.data.signal.wfdb.annotations import Annotation, read_annotations
from hounsfield.data.signal.wfdb.comments import header_comments, may_identify
from hounsfield.data.signal.wfdb.header import parse_header
from hounsfield.data.words import target_strength

HEADER = ".hea"
NOT_ANNOTATIONS = frozenset(
    {"hea", "dat", "mat", "txt", "csv", "tsv", "xls", "xlsx", "xws", "md", "html", "htm", "json", "xml", "pdf", "png",
     "svg", "jpg", "zip", "gz", "edf", "npz", "npy", "flac", "cache", "yaml", "yml", "bak"}
)  # fmt: skip
USUAL = ("atr", "ecg", "ari", "qrs", "ann", "al", "st", "man", "q1c", "pu1", "wqrs", "sqrs")
"""Endings of annotation files, the most trusted first: those that a person made or corrected."""


class WfdbLayout:
    """Records of ``.hea`` files; what is asked is found from what lies beside them."""

    def claims(self, root: Path, roles: Roles) -> float:
        """Return .93 where there is a ``.hea`` file, or for one itself."""
        if root.is_file():
            return 0.93 if root.name.lower().endswith(HEADER) else 0.0
        return 0.93 if root.is_dir() and any(p.lower().endswith(HEADER) for p in list_files(root).paths) else 0.0

    def cohort(self, root: Path, roles: Roles) -> Cohort:
        """Return the cohort of beats, rhythms or records.

        Raises
        ------
        CohortError
            If several things could be asked with equal right; the message lists them.
        """
        files = list_files(root if root.is_dir() else root.parent)
        paths, faulty = _records(files)
        if root.is_file():
            paths = [root.name]
        own = record_files(files, paths)
        records = [*look_at(own, paths, "wfdb")]
        records = [r if r.path not in faulty else Record(r.path, None, faulty[r.path]) for r in records]
        inputs = signal_inputs(records, "wfdb")
        inputs = replace(inputs, notes=(*inputs.notes, *told_checksums(own, records)))
        said, notes = _comments(files, paths)
        table = record_table(own, roles, said=said)
        table = replace(table, sheet=replace(table.sheet, notes=(*table.sheet.notes, *notes)))
        return _Question(own, records, inputs, table, roles).cohort()


class _Question:
    """What can be asked of the records, and what is."""

    def __init__(
        self, files: RecordFiles, records: Sequence[Record], inputs: SignalInputs, table: RecordTable, roles: Roles
    ) -> None:
        self.files = files
        self.records = records
        self.inputs = inputs
        self.table = table
        self.roles = roles
        self.ending = annotation_ending(files)

    def cohort(self) -> Cohort:
        wanted = self.roles.target
        columns = self.table.sheet.columns
        if not wanted:
            return self._only_one()
        if len(wanted) == 1 and wanted[0] not in columns:
            if self.ending and wanted[0].partition(":")[0] == BEATS:
                return self._beats(wanted[0])
            name, mark, seconds = wanted[0].partition(":")
            rhythms = self._rhythm_names() if self.ending else {}
            named = {r.casefold(): r for r in rhythms} | ({RHYTHM: RHYTHM} if rhythms else {})
            if name.casefold() in named:
                return self._rhythms(named[name.casefold()], window_seconds(seconds) if mark else WINDOW_S)
            raise unknown_name("target", wanted[0], [*columns, *self._inside()])
        return self._whole(understood_records(self.files, self.table, self.roles))

    def _only_one(self) -> Cohort:
        inside = self._inside()
        whole: Understood | None = None
        try:
            whole = understood_records(self.files, self.table, self.roles)
        except CohortError:
            if not inside:
                raise
        named = whole.columns("target") if whole is not None else self._sounding()
        told = [c for c in named if target_strength(c) >= 1.0 or c in self.table.sources] if inside else list(named)
        choices = [*told, *inside]
        if len(choices) > 1 and inside:
            raise CohortError(
                f"Several things could be asked of these records: {', '.join(choices)}.",
                expected="one of them",
                next_step=f"choose with --target {choices[-1] if not told else choices[0]}",
            )
        if inside:
            return self._beats(BEATS) if inside[0] == BEATS else self._rhythms(RHYTHM)
        if whole is None:  # pragma: no cover - an error was raised above
            raise CohortError("Nothing can be asked of these records.")
        return self._whole(whole)

    def _sounding(self) -> tuple[str, ...]:
        return tuple(c for c in self.table.sheet.columns if target_strength(c) >= 1.0)

    def _inside(self) -> list[str]:
        """Return what lies inside the records: beats, rhythms."""
        found: dict[str, None] = {}
        for record in self.records if self.ending else ():
            for mark in self._marks(record):
                if mark.symbol in CLASS_OF:
                    found[BEATS] = None
                elif mark.symbol == "+" and mark.text.startswith("("):
                    found[RHYTHM] = None
            if len(found) == 2:
                break
        return [n for n in (BEATS, RHYTHM) if n in found]

    def _rhythm_names(self) -> dict[str, None]:
        marks = (m for r in self.records for m in self._marks(r))
        return {m.text[1:].strip(): None for m in marks if m.symbol == "+" and m.text.startswith("(")}

    def _marks(self, record: Record) -> tuple[Annotation, ...]:
        path = self.files.root / record.path
        try:
            return read_annotations(path.with_name(f"{path.name[: -len(HEADER)]}.{self.ending}"))
        except ReadError:
            return ()  # it is told when the record is

    def _beats(self, target: str) -> Cohort:
        said = said_of_records(self.files, self.table, self.roles, asked=BEATS, classes=AAMI_CLASSES)
        return cohort_of_beats(
            self.files,
            self.records,
            self.inputs,
            said=said,
            table=self.table,
            ending=self.ending,
            classes=asked_classes(target),
        )

    def _rhythms(self, target: str, seconds: float = WINDOW_S) -> Cohort:
        said = said_of_records(self.files, self.table, self.roles, asked=RHYTHM, classes=AAMI_CLASSES)
        return cohort_of_rhythms(
            self.files,
            self.records,
            self.inputs,
            said=said,
            table=self.table,
            ending=self.ending,
            asked=(target, seconds),
        )

    def _whole(self, understood: Understood) -> Cohort:
        return cohort_of_records(understood, self.files, self.inputs, table=self.table, roles=self.roles, layout="wfdb")


def _records(files: Files) -> tuple[list[str], dict[str, str]]:
    """Return the records that are no segment of another, and the faults of headers that are none."""
    paths = [p for p in files.paths if p.lower().endswith(HEADER)]
    segments: set[str] = set()
    faults: dict[str, str] = {}
    for path in paths:
        try:
            text = parse_header(files.root / path, Ref("wfdb", path))
        except ReadError as error:
            faults[path] = error.found.partition(": ")[2] or error.found
            continue
        folder = path[: path.rfind("/") + 1]
        segments |= {f"{folder}{name}{HEADER}" for name, _ in text.segments}
    return [p for p in paths if p not in segments], faults


def _comments(files: Files, paths: Sequence[str]) -> tuple[dict[str, dict[str, str]], tuple[str, ...]]:
    """Return what the headers say of each record, and that of it something was left out."""
    found: dict[str, dict[str, str]] = {}
    for path in paths:
        try:
            found[path] = header_comments(files.root / path)
        except ReadError:
            found[path] = {}
    keys = dict.fromkeys(key for about in found.values() for key in about)
    hidden = {k for k in keys if may_identify(k, [about[k] for about in found.values() if k in about])}
    if not hidden:
        return found, ()
    kept = {path: {k: v for k, v in about.items() if k not in hidden} for path, about in found.items()}
    return kept, (f"{len(hidden)} comments of the headers are left out: what they hold may identify.",)


def annotation_ending(files: RecordFiles) -> str:
    """Return the ending of the annotation files that at least half of the records have, or ``""``."""
    own = {p[: -len(HEADER)] for p in files.records}
    counts: Counter[str] = Counter()
    for path in files.paths:
        base, dot, last = path.rpartition(".")
        if dot and base in own and last.isalnum() and len(last) <= 8 and last.casefold() not in NOT_ANNOTATIONS:
            counts[last] += 1
    able = {e for e, n in counts.items() if 2 * n >= len(own)}
    usual = [e for e in USUAL if e in able]
    return usual[0] if usual else min(able, default="")
