"""What the digest of a cohort sees: voxels beside their header, masks, and no file that would make it wait."""

import os
from pathlib import Path

import numpy as np
import pytest

from hounsfield.core.cohort import Cohort, Reading, Ref, Sample, Schema
from hounsfield.data.cohorts import digest, understand
from tests.data_room.folders import save


def _pair(root: Path) -> Path:
    header = "NRRD0004\ntype: uint8\ndimension: 3\nsizes: 4 4 3\nencoding: raw\ndata file: a.raw\n\n"
    (root / "a.nhdr").write_text(header)
    (root / "a.raw").write_bytes(np.arange(48, dtype=np.uint8).tobytes())
    return root / "a.raw"


def test_voxels_beside_their_header_and_masks_count(tmp_path: Path) -> None:
    voxels = _pair(tmp_path)
    save(tmp_path / "m.png")
    sample = Sample("a", "a", {"image": (Reading(Ref("nrrd", "a.nhdr")),)}, masks={"mask": Ref("raster", "m.png")})
    cohort = Cohort("c", str(tmp_path), (sample,), Schema())
    marks = [digest(cohort)]
    voxels.write_bytes(voxels.read_bytes()[::-1])
    marks.append(digest(cohort))
    save(tmp_path / "m.png", 7)
    marks.append(digest(cohort))
    (tmp_path / "a.nhdr").write_text("NRRD0004\nof something else\n")
    marks.append(digest(cohort))
    assert len(set(marks)) == 4
    assert digest(cohort) == marks[-1]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes on this system")
def test_a_pipe_among_pictures_is_no_picture(tmp_path: Path) -> None:
    for n in range(6):
        save(tmp_path / f"{'sick' if n % 2 else 'well'}/{n}.png", n)
    os.mkfifo(tmp_path / "sick/9.png")
    assert len(understand(tmp_path)) == 6
