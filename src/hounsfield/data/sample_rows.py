"""From rows of ``samples.csv`` to samples; what many rows share is understood and held once."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from hounsfield.core.cohort import Part, Reading, Ref, Sample
from hounsfield.core.errors import CohortError, unknown_name
from hounsfield.core.types import Attribute, TargetValue
from hounsfield.data.beat_inputs import FORM_INPUT, RHYTHM_INPUT, SIGNAL_INPUT, BeatInputs, BeatsOf, beats_like
from hounsfield.data.files import escapes
from hounsfield.data.ref_text import parse_ref
from hounsfield.data.table import parse_number

if TYPE_CHECKING:
    from hounsfield.data.cohort_file import CohortFile

V = TypeVar("V")
_PARTS: dict[str, Part] = {"train": "train", "val": "val", "test": "test"}
_ANCHOR = re.compile(r"\|anchor=(0|[1-9]\d{0,17})(?=\||\Z)")
_OF_A_BEAT = (SIGNAL_INPUT, RHYTHM_INPUT, FORM_INPUT)
MOST_SHARED = 1 << 14
"""Different contents of a kind of columns that are held for the rows to come."""


class _Shared(Generic[V]):
    """The values of a kind of columns, the same mapping for rows that say the same."""

    def __init__(self, places: Mapping[str, int], value: Callable[[str, str], V]) -> None:
        self._places = places
        self._value = value
        self._known: dict[tuple[str, ...], Mapping[str, V]] = {}

    def of(self, row: Sequence[str]) -> Mapping[str, V]:
        """Return what a row says."""
        cells = tuple([row[place] for place in self._places.values()])
        found = self._known.get(cells)
        if found is None:
            found = {name: self._value(name, cell) for name, cell in zip(self._places, cells, strict=True)}
            if len(self._known) < MOST_SHARED:
                self._known[cells] = found
        return found


class SampleRows:
    """Turns rows of ``samples.csv`` into samples.

    Parameters
    ----------
    heads : sequence of str
        The header.
    file : CohortFile
        What the ``cohort.yaml`` beside it says.
    root : pathlib.Path
        The folder that the refs are relative to.
    """

    def __init__(self, heads: Sequence[str], file: "CohortFile", root: Path) -> None:
        self._targets = {t.name: t for t in file.targets}
        self._numbers = set(file.numbers)
        self._root = root
        self._resolved = root.resolve()
        self._known: dict[str, bool] = {}
        self._inside: set[str] = set()
        self._places = {head: place for place, head in enumerate(heads)}
        self._of: dict[str, dict[str, int]] = {}
        for head, place in self._places.items():
            kind, mark, name = head.partition(":")
            if mark:
                self._of.setdefault(kind, {})[name] = place
        self._answers = _Shared(self._of.get("target", {}), self._answer)
        self._attributes = _Shared(self._of.get("attribute", {}), self._attribute)
        self._recorded = _Shared(self._of.get("record", {}), self._record)
        self._records: dict[tuple[str, ...], BeatsOf | None] = {}

    def sample(self, row: Sequence[str]) -> Sample:
        """Return the sample of a row, one cell for each column.

        Raises
        ------
        CohortError
            If a cell does not say what its column is for, or a path leads outside.
        """
        time = parse_number(self._cell(row, "time_days") or "0") or 0.0
        part = self._cell(row, "part")
        if part and part not in _PARTS:
            raise unknown_name("part", part, _PARTS)
        name = self._cell(row, "sample")
        return Sample(
            id=name,
            patient=self._cell(row, "patient") or name,
            inputs=self._inputs({n: row[i] for n, i in self._of.get("input", {}).items() if row[i]}, time),
            targets=self._answers.of(row),
            part=_PARTS[part] if part else None,
            opinions={n: self._opinion(n, row[i]) for n, i in self._of.get("opinion", {}).items() if row[i]},
            regions={n: self._ref(row[i]) for n, i in self._of.get("region", {}).items() if row[i]},
            masks={n: self._ref(row[i]) for n, i in self._of.get("mask", {}).items() if row[i]},
            attributes=self._attributes.of(row),
            records=self._recorded.of(row),
            time_days=time,
        )

    def missing(self, sample: Sample) -> bool:
        """Return whether a file of a sample is not there."""
        if isinstance(sample.inputs, BeatInputs):
            return not self._exists(sample.inputs.record.reader, sample.inputs.record.path)
        refs = [r.ref for readings in sample.inputs.values() for r in readings]
        return not refs or not all(self._exists(r.reader, r.path) for r in refs)

    def _cell(self, row: Sequence[str], head: str) -> str:
        place = self._places.get(head)
        return "" if place is None else row[place]

    def _inputs(self, texts: Mapping[str, str], time: float) -> Mapping[str, tuple[Reading, ...]]:
        cuts = [_ANCHOR.search(texts[name]) for name in _OF_A_BEAT if name in texts]
        if time or len(texts) != len(cuts) or len(cuts) != len(_OF_A_BEAT):
            return {n: self._readings(text, time) for n, text in texts.items()}
        key: list[str] = []
        anchors: list[int] = []
        for name, cut in zip(_OF_A_BEAT, cuts, strict=True):
            if cut is None:
                return {n: self._readings(text, time) for n, text in texts.items()}
            key += [texts[name][: cut.start()], texts[name][cut.end() :]]
            anchors.append(int(cut[1]))
        record = self._records.get(tuple(key))
        if record is not None and anchors == [anchors[1] * record.finer, anchors[1], anchors[1]]:
            return BeatInputs(record, anchors[1])
        inputs = {n: self._readings(text, time) for n, text in texts.items()}
        beat = beats_like(inputs)
        if beat is None:
            return inputs
        if anchors[1]:  # at 0 nothing tells how many samples lie in a frame
            self._records[tuple(key)] = beat.record
        return beat

    def _exists(self, reader: str, path: str) -> bool:
        if path not in self._known:
            self._known[path] = reader != "memory" and (self._root / path).is_file()
        return self._known[path]

    def _ref(self, text: str) -> Ref:
        ref = parse_ref(text)
        if ref.path not in self._inside and (escapes(ref.path, self._resolved) or ref.path.startswith("/")):
            raise CohortError(
                "A path in samples.csv leads outside the data folder.",
                expected="paths relative to the folder",
                next_step="correct the path",
            )
        self._inside.add(ref.path)
        return ref

    def _readings(self, text: str, time: float) -> tuple[Reading, ...]:
        if text.startswith("["):
            return tuple(Reading(self._ref(str(t)), float(d)) for t, d in json.loads(text))
        return (Reading(self._ref(text), time),)

    def _answer(self, name: str, text: str) -> TargetValue:
        spec = self._targets.get(name)
        if text == "" or spec is None:
            return None
        if spec.kind == "number":
            number = parse_number(text)
            if number is None:
                raise CohortError(f"An answer of {name!r} is no number.", expected="a number", next_step="correct it")
            return number
        if spec.kind == "multilabel":
            labels = tuple(json.loads(text)) if text.startswith("[") else tuple(text.split(";"))
            for label in labels:
                if label not in spec.classes:
                    raise unknown_name(f"label of {name!r}", label, spec.classes)
            return labels
        if spec.classes and text not in spec.classes:
            raise unknown_name(f"class of {name!r}", text, spec.classes)
        return text

    def _opinion(self, name: str, text: str) -> TargetValue | Ref:
        number = parse_number(text) if f"opinion:{name}" in self._numbers else None
        if number is not None:
            return number
        return self._ref(text) if "/" in text or "|" in text or "." in text else text

    def _attribute(self, name: str, text: str) -> Attribute:
        return self._value(f"attribute:{name}", text)

    def _record(self, name: str, text: str) -> Attribute:
        return self._value(f"record:{name}", text)

    def _value(self, column: str, text: str) -> Attribute:
        if text == "":
            return None
        return parse_number(text) if column in self._numbers else text
