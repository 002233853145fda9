"""Mixing images and targets alike."""

import numpy as np
import torch

from hounsfield.core.streams import stream
from hounsfield.learn.augment.mix import apply_mix, draw_mix, mix_targets
from hounsfield.learn.augment.spec import AugmentSpec
from hounsfield.learn.losses.categorical import soft_target


def test_off_draws_nothing() -> None:
    assert draw_mix(AugmentSpec(), stream(0, "mix"), count=4, size=(8, 8)) is None


def test_mixup_is_its_formula() -> None:
    mix = draw_mix(AugmentSpec(mixup=0.4), stream(0, "mix"), count=16, size=(8, 8))
    assert mix is not None
    images = torch.randn(16, 1, 8, 8)
    share, partner = mix.share.numpy()[:, None, None, None], mix.partner.numpy()
    expected = share * images.numpy() + (1 - share) * images.numpy()[partner]
    np.testing.assert_allclose(apply_mix(images, mix).numpy(), expected, atol=1e-5)
    assert sorted(partner.tolist()) == list(range(16))


def test_cutmix_shares_are_shares_of_pixels() -> None:
    for size in ((10, 14), (6, 7, 8)):
        mix = draw_mix(AugmentSpec(cutmix=1.0), stream(0, "mix"), count=32, size=size)
        assert mix is not None
        own = torch.arange(32.0).reshape(-1, *[1] * (len(size) + 1)).expand(32, 2, *size)
        mixed = apply_mix(own, mix)
        from_self = (mixed == own).flatten(1).float().mean(1)
        elsewhere = mix.partner != torch.arange(32)
        torch.testing.assert_close(from_self[elsewhere], mix.share[elsewhere])


def test_chance_leaves_samples_alone_to_the_bit() -> None:
    spec = AugmentSpec(mixup=1.0, cutmix=1.0, mix_chance=0.5)
    mix = draw_mix(spec, stream(0, "mix"), count=200, size=(8, 8))
    assert mix is not None
    alone = mix.share == 1.0
    assert 0.35 < float(alone.float().mean()) < 0.65
    images = torch.randn(200, 1, 8, 8)
    assert torch.equal(apply_mix(images, mix)[alone], images[alone])


def test_targets_mix_as_images_and_missing_answers_spread() -> None:
    mix = draw_mix(AugmentSpec(mixup=1.0), stream(0, "mix"), count=6, size=(4, 4))
    assert mix is not None
    target = soft_target(torch.tensor([0, 1, 2, -1, 1, 0]), 3)
    mixed = mix_targets(target, mix)
    missing = torch.tensor([False, False, False, True, False, False])
    assert torch.equal(mixed.isnan().any(1), missing | missing[mix.partner])
    known = mixed[~mixed.isnan().any(1)]
    torch.testing.assert_close(known.sum(1), torch.ones(len(known)))
    value = mix_targets(torch.tensor([[-1.0], [2.0], [0.5], [1.0], [0.0], [3.0]]), mix)
    assert bool(value.isfinite().all())


def test_drawing_is_addressed() -> None:
    spec = AugmentSpec(mixup=0.3, cutmix=1.0)
    one, two = (draw_mix(spec, stream(0, "mix", 3), count=8, size=(8, 8)) for _ in range(2))
    assert one is not None
    assert two is not None
    assert torch.equal(one.share, two.share)
    assert torch.equal(one.box, two.box)
