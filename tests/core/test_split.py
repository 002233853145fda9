"""Parts of a cohort."""

from hounsfield.core.cohort import SetAside
from hounsfield.core.split import Split


def test_ids_of_a_part_keep_their_order() -> None:
    split = Split(
        parts={"c": "train", "a": "test", "b": "train", "d": "out"},
        groups={n: n for n in "abcd"},
        left_out=(SetAside(sample="d", reason="duplicate of a test sample"),),
    )
    assert split.ids("train") == ("c", "b")
    assert split.ids("out") == ("d",)
    assert split.ids("val") == ()
    assert Split.model_validate_json(split.model_dump_json()) == split
