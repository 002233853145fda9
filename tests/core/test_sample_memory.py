"""What a sample costs in memory, and that saving it shows nowhere."""

import copy
import pickle
import tracemalloc

from hounsfield.core.cohort import Reading, Ref, Sample


def sample(number: int) -> Sample:
    name = f"{number:06d}"
    return Sample(name, name, {"image": (Reading(Ref("raster", f"sick/{name}.png")),)}, {"class": "sick"}, masks={})


def test_a_sample_of_one_image_is_under_a_kibibyte() -> None:
    tracemalloc.start()
    try:
        held = [sample(number) for number in range(2000)]
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size / len(held) < 1024  # 1,250 bytes with a dict for each thing that a sample does not have


def test_what_a_sample_does_not_have_is_an_empty_mapping() -> None:
    one, other = sample(1), sample(1)
    assert one == other
    assert one.masks is other.masks
    assert one.records == {}
    assert one.masks != {"mask": Ref("raster", "mask.png")}
    assert dict(one.attributes) == {**one.opinions} == {}
    assert one.attributes.get("age") is None
    assert list(one.regions) == []
    assert repr(one.masks) == "{}"
    assert not one.masks


def test_a_sample_can_be_copied_and_sent_to_another_process() -> None:
    one = sample(1)
    assert pickle.loads(pickle.dumps(one)) == one == copy.deepcopy(one)  # noqa: S301  # our own bytes
    assert pickle.loads(pickle.dumps(one)).masks is one.masks  # noqa: S301
