"""The batch moves as one."""

import torch

from hounsfield.learn.batch import Batch


def test_to_moves_every_tensor_and_keeps_the_rest() -> None:
    batch = Batch(
        index=torch.arange(2),
        inputs={"image": torch.zeros(2, 1, 4, 4)},
        targets={"label": torch.tensor([0, -1])},
        weight=torch.ones(2),
        present={"image": torch.ones(2, 1, dtype=torch.bool)},
        context={"keys": torch.arange(2), "operator": "as it is"},
    )
    moved = batch.to("meta")
    assert len(moved) == 2
    tensors = [moved.index, moved.weight, *moved.inputs.values(), *moved.targets.values(), *moved.present.values()]
    assert {t.device.type for t in tensors} == {"meta"}
    assert isinstance(moved.context["keys"], torch.Tensor)
    assert moved.context["keys"].device.type == "meta"
    assert moved.context["operator"] == "as it is"
    assert batch.index.device.type == "cpu"
