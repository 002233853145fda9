"""Embeddings of images and regions by a bundle's encoders."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image as Picture
from typer.testing import CliRunner

from hounsfield.bundle.sealed import BundleContents, seal
from hounsfield.cli.app import app
from hounsfield.core.errors import BundleError, InputError
from hounsfield.core.fingerprint import Fingerprint
from hounsfield.core.image import Grid, Image
from hounsfield.core.plan import Plan
from hounsfield.core.streams import stream
from hounsfield.data.volume.nifti_writing import write_nifti
from hounsfield.learn.embedding import Embedder
from hounsfield.learn.model import EMBEDDING, member_job, runner
from hounsfield.workflow.measure_deep import crop, embed
from hounsfield.workflow.measure_regions import seen
from tests.learn.engines.making import ensemble
from tests.learn.toys import TARGETS


@pytest.fixture(scope="module")
def contents() -> BundleContents:
    plan = Plan(
        hounsfield="0", cohort="toy", cohort_digest="0", task="classify", targets=tuple(TARGETS.values()), sections={}
    )
    facts = Fingerprint(samples=1, patients=1, val_samples=0, inputs={}, targets={})
    return BundleContents(members=ensemble(2), plan=plan, fingerprint=facts)


@pytest.fixture(scope="module")
def bundle(contents: BundleContents, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "bundle"
    seal(folder, contents)
    return folder


@pytest.fixture
def pictures(tmp_path: Path) -> tuple[Path, Path]:
    for n in range(2):
        image = stream(n, "deep").integers(0, 255, (50, 60)).astype(np.uint8)
        mask = np.zeros(image.shape, dtype=np.uint8)
        mask[10:30, 20:50] = 1
        for folder, array in (("images", image), ("masks", mask)):
            (tmp_path / folder).mkdir(exist_ok=True)
            Picture.fromarray(array).save(tmp_path / folder / f"p{n}.png")
    return tmp_path / "images", tmp_path / "masks"


def test_images_and_crops_are_embedded_by_every_member(
    contents: BundleContents, bundle: Path, pictures: tuple[Path, Path]
) -> None:
    found = embed(bundle, pictures)
    assert [key for key, _ in found.rows] == [("p0", "", 0, 0), ("p0", "", 1, 0), ("p1", "", 0, 0), ("p1", "", 1, 0)]
    assert found.members == 2
    image = np.asarray(Picture.open(pictures[0] / "p1.png"))
    ((name, spec),) = member_job(contents.members[0]).preparation.items()
    for row, part in ((2, image), (3, image[8:32, 17:53])):
        stored = {name: spec.prepared(Image(part[None]))[None]}
        for member, values in zip(contents.members, found.rows[row][1], strict=True):
            assert values == pytest.approx(runner(member).run(stored)[EMBEDDING][0], abs=1e-5)


def test_a_crop_lies_where_it_lay(tmp_path: Path) -> None:
    volume = stream(0, "crop").normal(size=(10, 20, 30)).astype(np.float32)
    labels = np.zeros(volume.shape, dtype=np.uint8)
    labels[4:6, 10:20, 3:7] = 2
    affine = np.array([[0, -2.0, 0, 5], [1.5, 0, 0, -7], [0, 0, 3, 11], [0, 0, 0, 1]])
    write_nifti(tmp_path / "image.nii.gz", Image(volume[None], Grid(affine)))
    write_nifti(tmp_path / "mask.nii.gz", Image(labels[None], Grid(affine)))
    (region,) = seen(tmp_path / "image.nii.gz", tmp_path / "mask.nii.gz", parts=False)
    made = crop(region)
    assert made.size == (6, 12, 8)
    assert np.array_equal(made.array[0], volume[2:8, 8:20, 1:9])
    assert made.grid is not None
    assert made.grid.affine_ras @ [0, 0, 0, 1] == pytest.approx(affine @ [1, 8, 2, 1])


def test_what_cannot_be_embedded_is_said(bundle: Path, tmp_path: Path) -> None:
    volume = np.zeros((4, 5, 6), dtype=np.float32)
    write_nifti(tmp_path / "image.nii.gz", Image(volume[None], Grid(np.eye(4))))
    write_nifti(tmp_path / "mask.nii.gz", Image(np.ones((1, 4, 5, 6), dtype=np.uint8), Grid(np.eye(4))))
    with pytest.raises(InputError, match="None of 2 images and regions could be embedded: An image has 3 space axes"):
        embed(bundle, (tmp_path / "image.nii.gz", tmp_path / "mask.nii.gz"))


def test_a_model_of_two_inputs_is_refused(contents: BundleContents) -> None:
    member = contents.members[0]
    assert isinstance(member.json, dict)
    job = member_job(member)
    ((_, spec),) = job.preparation.items()
    two = job.model_copy(update={"preparation": {"a": spec, "b": spec}}).model_dump(mode="json")
    odd = type(member)(member.learner, member.arrays, {**member.json, "job": two})
    with pytest.raises(BundleError, match="takes 2 inputs"):
        Embedder(BundleContents(members=(odd,), plan=contents.plan, fingerprint=contents.fingerprint))


def test_the_command_writes_them_beside_the_table(bundle: Path, pictures: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("families: [stat]\n", encoding="utf-8")
    words = ["measure", *pictures, "--settings", tmp_path / "own.yaml", "--out", tmp_path / "f.parquet"]
    done = CliRunner().invoke(app, [str(w) for w in (*words, "--deep", bundle)])
    assert done.exit_code == 0, done.output
    assert "Embeddings: 4 regions" in done.output
    table = pq.read_table(tmp_path / "f_deep.parquet")
    assert table.column_names[:4] == ["case", "mask", "label", "part"]
    assert table.num_rows == 4
    assert b"bundle" in table.schema.metadata[b"hounsfield"]
