"""Phantoms over time, from label maps on disk to a verdict."""

import csv
from pathlib import Path

import numpy as np
import pytest
from pydantic import BaseModel
from typer.testing import CliRunner

from hounsfield.cli.app import app
from hounsfield.core.errors import InputError, RunExistsError
from hounsfield.core.image import Grid, Image
from hounsfield.core.types import AnyArray, Float64Array
from hounsfield.data.volume.nifti_writing import write_nifti
from hounsfield.workflow.feature_tables import rows_csv
from hounsfield.workflow.following import follow

SIZE = (30, 80, 80)
Ball = tuple[tuple[float, float, float], float, int]
"""Centre x y z in mm, radius in mm, label."""


def affine(spacing: float) -> Float64Array:
    made = np.diag([spacing, spacing, 2.0, 1.0])
    made[:3, 3] = -40.0, -40.0, -30.0
    return made


def balls(*given: Ball, spacing: float = 1.0) -> AnyArray:
    z, y, x = np.indices((SIZE[0], round(80 / spacing), round(80 / spacing)))
    at = np.stack([x * spacing - 40, y * spacing - 40, z * 2.0 - 30])
    labels = np.zeros(x.shape, dtype=np.uint8)
    for centre, radius, label in given:
        labels[sum((a - c) ** 2 for a, c in zip(at, centre, strict=True)) <= radius**2] = label
    return labels


def written(folder: Path, name: str, labels: AnyArray, spacing: float = 1.0) -> str:
    write_nifti(folder / name, Image(labels[None], Grid(affine(spacing))))
    return name


def table(folder: Path, *rows: str, head: str = "case,visit,mask") -> Path:
    path = folder / "visits.csv"
    path.write_text("\n".join((head, *rows)) + "\n", encoding="utf-8")
    return path


A: Ball = ((-20.0, -20.0, 0.0), 10.0, 1)
B: Ball = ((20.0, 20.0, 6.0), 8.0, 2)


def test_a_course_from_shrinking_to_progression(tmp_path: Path) -> None:
    # labels are numbered otherwise at each visit, and the second visit has another grid
    written(tmp_path, "t0.nii.gz", balls(A, B))
    smaller = balls((A[0], 6.0, 2), (B[0], 5.0, 1), spacing=0.8)
    written(tmp_path, "t1.nii.gz", smaller, 0.8)
    written(tmp_path, "t2.nii.gz", balls((A[0], 9.0, 7), (B[0], 5.0, 3)))
    written(tmp_path, "t3.nii.gz", balls((A[0], 6.0, 1), (B[0], 5.0, 2), ((25.0, -25.0, 0.0), 4.0, 3)))
    written(tmp_path, "t4.nii.gz", balls())
    dates = ("2026-01-05", "2026-03-02", "2026-05-04", "2026-07-06", "2026-09-07")
    rows = [f"p1,{d},t{n}.nii.gz" for n, d in enumerate(dates)]
    found = follow(table(tmp_path, *rows), out=tmp_path / "out")
    assert [v.overall for v in found.visits] == [
        "baseline",
        "partial response",
        "progressive disease",
        "progressive disease",
        "complete response",
    ]
    assert found.visits[0].sum_mm == pytest.approx(36, abs=2.5)
    assert found.visits[1].from_baseline == pytest.approx(22 / 36 - 1, abs=0.04)
    assert found.visits[2].from_nadir == pytest.approx(28 / 22 - 1, abs=0.06)
    assert found.visits[3].new_lesions == 1
    assert found.visits[3].targets == "partial response"
    first = found.lesions[0]
    assert (first.before, first.after, first.kind, first.by, first.target) == ("1", "2", "same", "overlap", True)
    assert first.volume_before_mm3 == pytest.approx(4 / 3 * np.pi * 1000, rel=0.03)
    assert first.volume_change == pytest.approx(0.6**3 - 1, abs=0.03)
    assert first.long_change == pytest.approx(-0.4, abs=0.04)
    with (tmp_path / "out" / "lesions.csv").open(newline="") as file:
        read = list(csv.DictReader(file))
    assert len(read) == len(found.lesions) == 9
    assert [r["kind"] for r in read][-2:] == ["gone", "gone"]
    assert read[6]["volume_change"] == ""
    with pytest.raises(RunExistsError, match="holds results"):
        follow(table(tmp_path, *rows), out=tmp_path / "out")


def test_registration_nodes_and_parts(tmp_path: Path) -> None:
    written(tmp_path, "t0.nii.gz", balls(A, B))
    moved = ((-20.0 + 24.0, -20.0, 0.0), 10.0, 1), ((20.0 + 18.0, 20.0, 6.0), 8.0, 2)
    written(tmp_path, "t1.nii.gz", balls(*moved)[:, :, :])
    shift = np.eye(4)
    shift[0, 3] = -24.0
    np.savetxt(tmp_path / "shift.txt", shift)
    head = "case,visit,mask,to_first,nodes,organs"
    rows = ("p1,first,t0.nii.gz,,2,1=liver", "p1,second,t1.nii.gz,shift.txt,,")
    found = follow(table(tmp_path, *rows, head=head))
    assert [(r.before, r.after, r.kind) for r in found.lesions] == [("1", "1", "same"), ("2", "2", "same")]
    assert found.record.targets == {"p1": ("1", "2")}
    # unregistered, the first is farther away than lesions are paired
    apart = follow(table(tmp_path, *(r.replace("shift.txt", "") for r in rows), head=head))
    assert {r.kind for r in apart.lesions} >= {"gone", "new"}
    one = np.minimum(balls(A, B), 1).astype(np.uint8)
    written(tmp_path, "one.nii.gz", one)
    whole = follow(table(tmp_path, "p1,a,one.nii.gz", "p1,b,one.nii.gz"), parts=True)
    assert [(r.before, r.kind, r.volume_change) for r in whole.lesions] == [("1", "same", 0.0), ("2", "same", 0.0)]
    assert whole.visits[1].overall == "stable disease"


def test_slices_in_another_order_measure_the_same(tmp_path: Path) -> None:
    labels = balls(A, B)
    written(tmp_path, "t0.nii.gz", labels)
    # the same volume stored with its axes exchanged: x along slices
    turned = affine(1.0)[:, [2, 1, 0, 3]]
    write_nifti(tmp_path / "t1.nii.gz", Image(np.ascontiguousarray(labels.transpose(2, 1, 0))[None], Grid(turned)))
    found = follow(table(tmp_path, "p,a,t0.nii.gz", "p,b,t1.nii.gz"))
    assert all(r.volume_change == pytest.approx(0) and r.long_change == pytest.approx(0) for r in found.lesions)


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    written(tmp_path, "t0.nii.gz", balls(A))
    (tmp_path / "bad.nii.gz").write_bytes(b"no volume")
    found = follow(table(tmp_path, "p1,a,t0.nii.gz", "p1,b,bad.nii.gz", "p1,c,", "p2,a,none.nii.gz", "p2,b,t0.nii.gz"))
    assert [v.overall for v in found.visits] == ["baseline", "not evaluable", "not evaluable"]
    assert found.visits[2].note == "There is no mask"
    assert [(a.sample, a.reason) for a in found.record.apart] == [("p2", "The mask does not exist")]
    for rows, head, words in (
        (["p1,a,t0.nii.gz"], "case,visit,masks", "columns"),
        (["p1,2026-02-01,t0.nii.gz", "p1,2026-01-01,t0.nii.gz"], "case,visit,mask", "go backwards"),
        (["p1,a,t0.nii.gz", "p1,a,t0.nii.gz"], "case,visit,mask", "repeat"),
        (["p1,,t0.nii.gz"], "case,visit,mask", "Line 2"),
        (["p1,a,t0.nii.gz,9"], "case,visit,mask", "Line 2"),
        ([], "case,visit,mask", "no visits"),
        (["p1,a,t0.nii.gz,9"], "case,visit,mask,nodes", "does not have"),
        (["p1,a,t0.nii.gz,x"], "case,visit,mask,nodes", "no numbers"),
        (["p1,a,t0.nii.gz,maybe"], "case,visit,mask,non_targets", "maybe"),
        (["p1,a,bad.nii.gz"], "case,visit,mask", "None of 1 patients"),
    ):
        with pytest.raises(InputError, match=words):
            follow(table(tmp_path, *rows, head=head))
    with pytest.raises(InputError, match="cannot be read"):
        follow(tmp_path / "nowhere.csv")


def test_the_command_says_that_a_verdict_is_a_proposal(tmp_path: Path) -> None:
    written(tmp_path, "t0.nii.gz", balls(A))
    # as a spreadsheet in Europe writes it
    path = table(tmp_path, "p1;a;t0.nii.gz", "p1;b;t0.nii.gz", head="case;visit;mask")
    done = CliRunner().invoke(app, ["follow", str(path), "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert "stable disease" in done.output
    assert "a reader's to confirm" in done.output
    done = CliRunner().invoke(app, ["follow", str(path), "--json"])
    assert '"overall": "stable disease"' in done.stdout


def test_tables_keep_numbers_and_quote_what_looks_like_a_formula() -> None:
    class Line(BaseModel):
        name: str
        change: float | None

    rows = [Line(name="=A1", change=-0.25), Line(name="plain", change=None)]
    assert rows_csv(Line, rows) == "name,change\n'=A1,-0.25\nplain,\n"
