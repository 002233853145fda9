"""Patches by number, cut and augmented together with their labels."""

from functools import partial
from pathlib import Path

import numpy as np
import torch

from hounsfield.core.streams import uniforms
from hounsfield.learn.augment.draw import draw
from hounsfield.learn.augment.spec import AugmentSpec
from hounsfield.learn.dense.cases import fill_cases, open_cases
from hounsfield.learn.dense.job import INPUT
from hounsfield.learn.dense.patches import LABELS, DenseBatches, cut, warped
from hounsfield.learn.ranks import Ranks
from tests.learn.dense.making import deep_feed, deep_job, flat_feed, flat_job


def test_cases_come_back_as_they_were_written(tmp_path: Path) -> None:
    feed = flat_feed(tmp_path)
    again = open_cases(tmp_path)
    assert [again.shape(n) for n in range(3)] == [(40, 50), (41, 50), (42, 50)]
    np.testing.assert_array_equal(again.image(4), feed.cases.image(4))
    assert again.label(2)[1].all()
    points = again.marked(3)[0]
    assert again.label(3)[0].ravel()[points].all()
    assert 0 not in again.marked(0)  # every fifth picture holds nothing


def test_what_is_whole_is_not_written_again(tmp_path: Path) -> None:
    flat_feed(tmp_path)
    before = (tmp_path / "cases-images.raw").stat().st_mtime_ns
    fill_cases(tmp_path, "flat", iter(()), seed=0, layouts=(1, 0))
    assert (tmp_path / "cases-images.raw").stat().st_mtime_ns == before


def test_a_box_is_filled_up_where_it_reaches_beyond() -> None:
    array = np.arange(12, dtype=np.float32).reshape(1, 3, 4)
    box = cut(array, (-1, 2), (3, 4), outside=-9)
    assert box[0].tolist() == [[-9] * 4, [2, 3, -9, -9], [6, 7, -9, -9]]
    assert (cut(array, (10, 10), (2, 2)) == 0).all()


def test_a_batch_is_the_same_whenever_it_is_asked_for(tmp_path: Path) -> None:
    feed, job = flat_feed(tmp_path), flat_job()
    one, two = DenseBatches(feed, job), DenseBatches(feed, job)
    two(0)
    for a, b in ((one(7), two(7)), (one(2), two(2))):
        assert torch.equal(a.inputs[INPUT], b.inputs[INPUT])
        assert torch.equal(a.targets[LABELS], b.targets[LABELS])
    assert not torch.equal(one(7).inputs[INPUT], one(8).inputs[INPUT])


def test_processes_share_a_batch_without_overlap(tmp_path: Path) -> None:
    feed, job = flat_feed(tmp_path), flat_job()
    whole = DenseBatches(feed, job)(5)
    parts = [DenseBatches(feed, job, ranks=Ranks(rank, 2))(5) for rank in (0, 1)]
    assert torch.equal(torch.cat([p.inputs[INPUT] for p in parts]), whole.inputs[INPUT])
    assert [p.context["share"] for p in parts] == [0.5, 0.5]


def test_every_case_comes_once_in_an_epoch_and_marked_patches_hold_something(tmp_path: Path) -> None:
    feed = flat_feed(tmp_path)
    job = flat_job()
    batches = DenseBatches(feed, job.model_copy(update={"patches": job.patches.model_copy(update={"marked": 1.0})}))
    places = [batches.place(n) for n in range(len(feed.train))]
    assert sorted(p.row for p in places) == sorted(feed.train.tolist())
    for place in places:
        held = feed.cases.label(place.row)[0].any()
        assert cut(feed.cases.label(place.row), place.start, (32, 32))[0].any() == held


def test_labels_move_with_the_image(tmp_path: Path) -> None:
    spec = AugmentSpec(flips=("y", "x"), rotation_deg=180, scale=(0.7, 1.3), shear_deg=5, elastic=0.02, translation=0.1)
    y, x = np.mgrid[:60, :60]
    mask = ((y - 33) ** 2 + (x - 24) ** 2 < 120).astype(np.uint8)
    images = torch.from_numpy(np.stack([mask] * 12).astype(np.float32)[:, None])
    labels = torch.from_numpy(np.stack([mask] * 12)[:, None])
    drawn = draw(spec, partial(uniforms, 0, "test", 0, list(range(12))), ndim=2)
    image, label = warped(images, labels, drawn, (40, 40))
    assert image.shape == label.shape == (12, 1, 40, 40)
    together = ((image > 0.5) == (label > 0)).float().mean(dim=(1, 2, 3))
    assert together.min() > 0.98
    assert len({float(i.sum()) for i in image}) > 6


def test_volumes_give_patches_too(tmp_path: Path) -> None:
    batch = DenseBatches(deep_feed(tmp_path), deep_job())(0)
    assert batch.inputs[INPUT].shape == (4, 1, 16, 24, 16)
    assert batch.targets[LABELS].shape == (4, 2, 16, 24, 16)
    assert batch.targets[LABELS][:, 0].max() == 2
    assert torch.isfinite(batch.inputs[INPUT]).all()
