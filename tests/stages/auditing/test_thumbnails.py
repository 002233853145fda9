import numpy as np
import pytest

from hounsfield.core.streams import stream
from hounsfield.stages.auditing.thumbnails import Album, OnDisk
from tests.stages.auditing.making import jpeg, look, phantom


def test_a_look_keeps_what_the_audit_needs() -> None:
    picture = phantom(1)
    seen = look("a", picture, size=1234)
    assert np.asarray(seen.picture).shape == (96, 96)
    assert np.asarray(seen.picture).min() == 0
    assert np.asarray(seen.picture).max() == 255
    assert seen.brightness == pytest.approx(picture.mean())
    assert seen.contrast == pytest.approx(picture.std(), rel=1e-5)
    edge = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    assert seen.border == pytest.approx(edge.mean())
    assert seen.bits_per_pixel == pytest.approx(8 * 1234 / picture.size)
    assert seen.fault == ""


def test_equal_pixels_have_one_digest_in_grey_and_in_colour() -> None:
    grey = phantom(1)
    colour = np.stack([grey] * 3)
    assert look("a", grey).digest == look("b", colour).digest
    assert look("a", grey).digest != look("c", jpeg(grey, 90)).digest
    colour[1, 5, 5] += 1
    assert look("a", grey).digest != look("d", colour).digest


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.full((20, 20), 7, dtype=np.uint8), "constant"),
        (np.ones((1, 1), dtype=np.uint8), "only 1 x 1"),
        (np.where(np.eye(20) > 0, np.nan, 1.0).astype(np.float32), "not finite"),
    ],
)
def test_faulty_images_are_named(array: np.typing.NDArray[np.generic], words: str) -> None:
    assert words in look("a", array).fault


def test_volumes_are_seen_from_all_sides() -> None:
    volume = stream(0, "volume").integers(0, 255, (1, 12, 20, 24)).astype(np.uint8)
    seen = look("a", volume)
    assert seen.size == (12, 20, 24)
    assert np.asarray(seen.picture).shape == (96, 96)
    assert seen.fault == ""


def test_a_glance_can_forget_its_picture() -> None:
    seen = look("a", phantom(0))
    kept = seen.without_picture()
    assert np.asarray(kept.picture).size == 0
    assert (kept.sample, kept.digest, kept.size) == (seen.sample, seen.digest, seen.size)


def test_an_album_gives_back_what_was_put_in() -> None:
    album = Album()
    volume = stream(0, "volume").integers(0, 255, (1, 12, 20, 24)).astype(np.uint8)
    seen = [look("a", phantom(0)), look("b", volume), look("c", phantom(1))]
    kept = [album.put(g) for g in seen]
    assert all(isinstance(g.picture, OnDisk) for g in kept)
    together = np.stack([g.picture for g in kept])
    np.testing.assert_array_equal(together, np.stack([np.asarray(g.picture) for g in seen]))
    assert kept[0].volume is None
    np.testing.assert_array_equal(np.asarray(kept[1].volume), np.asarray(seen[1].volume))
    assert np.asarray(kept[2].picture, dtype=np.float32).dtype == np.float32
