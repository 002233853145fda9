"""Pictures and stability beside a table."""

import csv
import json
import xml.etree.ElementTree as Xml
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from hounsfield.cli.app import app
from hounsfield.core.errors import InputError, RunExistsError
from hounsfield.core.image import Grid, Image
from hounsfield.core.streams import stream
from hounsfield.data.volume.nifti_writing import write_nifti
from hounsfield.science.radiomics.settings import Discretisation, Resegmentation, Settings
from hounsfield.workflow.measure_beside import Asked
from hounsfield.workflow.measure_pictures import draw
from hounsfield.workflow.measure_stability import measure_stability
from hounsfield.workflow.measuring import MeasureWishes, measure

SETTINGS = Settings(families=("morph", "stat", "cm"), slow=False)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Return four cases with a ball each, of other sizes and brightness."""
    z, y, x = np.indices((14, 30, 32))
    for n in range(4):
        radius = 4.0 + 1.2 * n
        inside = ((z - 7) * 2.0) ** 2 + (y - 15.0) ** 2 + (x - 16.0) ** 2 <= radius**2
        image = stream(n, "beside").normal(0, 3, z.shape) + inside * (60.0 + 40 * n)
        for folder, array in (("images", image.astype(np.float32)), ("masks", inside.astype(np.uint8))):
            (tmp_path / folder).mkdir(exist_ok=True)
            write_nifti(tmp_path / folder / f"c{n}.nii.gz", Image(array[None], Grid(np.diag([1.0, 1.0, 2.0, 1.0]))))
    return tmp_path / "images", tmp_path / "masks"


def test_every_region_is_drawn(folders: tuple[Path, Path], tmp_path: Path) -> None:
    measured = measure(*folders, wishes=MeasureWishes(settings=SETTINGS))
    found = draw(measured, folders, tmp_path / "pictures", tag="stat_mean")
    assert found.names == (*(f"region-{n:05d}.svg" for n in range(1, 5)), "correlations.svg")
    assert found.without == ()
    space = "{http://www.w3.org/2000/svg}"
    root = Xml.parse(tmp_path / "pictures" / "region-00003.svg").getroot()  # noqa: S314  # written above
    assert len(root.findall(f".//{space}image")) == 3  # slice, map and its scale
    assert len(root.findall(f".//{space}rect")) == 1 + 32
    (path, again) = root.findall(f".//{space}path")
    assert path.get("d") == again.get("d")
    # the largest slice of a ball of 6.4 mm: as many edges as its rows and columns have ends
    mask = (np.indices((30, 32))[0] - 15.0) ** 2 + (np.indices((30, 32))[1] - 16.0) ** 2 <= 6.4**2
    edges = int(2 * mask.any(axis=1).sum() + 2 * mask.any(axis=0).sum())
    assert (path.get("d") or "").count("M") == edges
    words = [t.text for t in root.findall(f".//{space}text")]
    assert any(w and w.startswith("3: c2, label 1, slice 8 of 14") for w in words)
    correlations = Xml.parse(tmp_path / "pictures" / "correlations.svg")  # noqa: S314  # written above
    assert "stat_mean" in [t.text for t in correlations.findall(f".//{space}text")]
    with pytest.raises(RunExistsError, match="not empty"):
        draw(measured, folders, tmp_path / "pictures")
    with pytest.raises(InputError, match="no parameter map"):
        draw(measured, folders, tmp_path / "others", tag="morph_volume")


def test_a_region_without_a_map_is_still_drawn(folders: tuple[Path, Path], tmp_path: Path) -> None:
    one = tuple(f / "c0.nii.gz" for f in folders)
    settings = Settings(families=("stat",), discretisation=Discretisation(method="none"))
    measured = measure(one[0], one[1], wishes=MeasureWishes(settings=Settings(families=("stat",))))
    measured = type(measured)(measured.rows, measured.record.model_copy(update={"settings": settings}))
    found = draw(measured, (one[0], one[1]), tmp_path / "pictures")
    assert found.names == ("region-00001.svg",)
    assert "fewer than 3 regions" in found.without[0]


def test_stable_features_are_told_from_others(folders: tuple[Path, Path]) -> None:
    found = measure_stability(folders, SETTINGS, repeats=6)
    by_name = {r.feature: r for r in found.rows}
    assert by_name["stat_median"].goes_on  # 60, 100, 140, 180 with noise of 3
    assert by_name["stat_median"].regions == 4
    low, icc, high = (getattr(by_name["stat_median"], n) for n in ("low", "icc", "high"))
    assert 0.75 < low < icc < high <= 1
    assert not by_name["cm_clust_shade_3D_avg"].goes_on
    assert "stat_median" in found.going_on
    assert measure_stability(folders, SETTINGS, repeats=6) == found
    assert measure_stability(folders, SETTINGS, repeats=6, seed=1).rows != found.rows


def test_a_region_that_cannot_be_repeated_is_left_out(folders: tuple[Path, Path]) -> None:
    # nothing of the first ball lies above 70: its intensities count nowhere, its shape does
    settings = SETTINGS.model_copy(update={"resegmentation": Resegmentation(lowest=80)})
    rows = {r.feature: r for r in measure_stability(folders, settings, repeats=3).rows}
    assert rows["stat_mean"].regions == 3
    assert rows["morph_volume"].regions == 4


def test_planes_are_stable_too(tmp_path: Path) -> None:
    from PIL import Image as Picture

    y, x = np.indices((40, 44))
    for n in range(3):
        inside = (y - 20) ** 2 + (x - 22) ** 2 <= (6 + 3 * n) ** 2
        noise = stream(n, "planes").normal(0, 4, y.shape)
        Picture.fromarray((80 + 40 * n * inside + noise).clip(0, 255).astype(np.uint8)).save(tmp_path / f"a{n}.png")
        Picture.fromarray((inside * 255).astype(np.uint8)).save(tmp_path / f"a{n}_mask.png")
    found = {r.feature: r for r in measure_stability((tmp_path, tmp_path), SETTINGS, repeats=5).rows}
    assert found["stat_median"].goes_on
    assert found["stat_median"].regions == 3
    assert found["morph_volume"].reason


def test_the_command_writes_all_of_it(folders: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("families: [stat]\n", encoding="utf-8")
    out = tmp_path / "f.parquet"
    words = ["measure", *folders, "--settings", tmp_path / "own.yaml", "--out", out, "--stability", 3]
    words += ["--pictures", tmp_path / "p", "--map", "stat_mean"]
    done = CliRunner().invoke(app, [str(w) for w in words])
    assert done.exit_code == 0, done.output
    assert "Pictures: 5." in done.output
    assert "go on" in done.output
    with (tmp_path / "f_stability.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 18
    assert all(-1 <= float(r["low"]) <= float(r["icc"]) for r in rows)
    told = json.loads((tmp_path / "f_stability.json").read_text(encoding="utf-8"))
    assert told["going_on"] == [r["feature"] for r in rows if r["goes_on"] == "True"]
    assert told["repeats"] == 3


def test_what_does_not_go_together_is_said_first(tmp_path: Path) -> None:
    out = tmp_path / "f.parquet"
    for asked, repeated, words in (
        (Asked(out=out, stability=5), True, "--repeat was given with"),
        (Asked(map_of="stat_mean"), False, "without --pictures"),
        (Asked(stability=5), False, "without --out"),
        (Asked(out=out, stability=1), False, "1 perturbations"),
        (Asked(pictures=tmp_path / "p", map_of="ivh_v10"), False, "no parameter map"),
    ):
        with pytest.raises(InputError, match=words):
            asked.check(repeated=repeated)
    (tmp_path / "f_stability.csv").write_text("", encoding="utf-8")
    with pytest.raises(RunExistsError, match="f_stability"):
        Asked(out=out, stability=5).check(repeated=False)
