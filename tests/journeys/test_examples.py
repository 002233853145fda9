"""The examples run as they stand, but for the number of steps that their minutes hold."""

import pytest
from examples import classify_arrays, classify_folder


@pytest.mark.usefixtures("few_steps")
def test_arrays_in_memory_are_classified() -> None:
    value = classify_arrays.main()
    assert value is not None
    assert value > 0.8


@pytest.mark.usefixtures("few_steps")
def test_a_folder_goes_all_the_way() -> None:
    said = classify_folder.main(minutes=0.6)
    assert len(said) == 2
    assert all(line.endswith(("lesion", "no lesion")) for line in said)
