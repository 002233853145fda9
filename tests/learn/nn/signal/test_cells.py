"""Recurrent layers against PyTorch's and against their formulas, step by step."""

import numpy as np
import pytest
import torch
from torch import nn

from hounsfield.learn.nn.signal.cells import CellName, GatedLayer, TextbookLayer, layer
from hounsfield.learn.nn.signal.decay import DecayLayer
from hounsfield.learn.nn.signal.laying import lay
from hounsfield.learn.nn.signal.pooling import TimePool, TimePoolingName
from hounsfield.learn.nn.signal.recurrence import Recurrence
from hounsfield.learn.nn.signal.sequence import read, reverse
from tests.learn.nn.signal.series import as64, irregular, noise
from tests.references import recurrent as reference


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_textbook_layer_is_that_of_torch_forward_and_backward(activation: str) -> None:
    ours = TextbookLayer(3, 5, activation=activation)  # type: ignore[arg-type]  # parametrised by name
    theirs = nn.RNN(3, 5, nonlinearity=activation, batch_first=True)
    given = dict(theirs.named_parameters())
    with torch.no_grad():
        ours.input_weight.copy_(given["weight_ih_l0"])
        ours.state_weight.copy_(given["weight_hh_l0"])
        ours.bias.copy_(given["bias_ih_l0"] + given["bias_hh_l0"])
    steps = noise(4, 9, 3)
    states, (last,) = ours(steps, None)
    expected, kept = theirs(steps)
    torch.testing.assert_close(states, expected)
    torch.testing.assert_close(last, kept[0])
    states.square().sum().backward()
    expected.square().sum().backward()
    torch.testing.assert_close(ours.input_weight.grad, given["weight_ih_l0"].grad)
    torch.testing.assert_close(ours.state_weight.grad, given["weight_hh_l0"].grad)
    torch.testing.assert_close(ours.bias.grad, given["bias_hh_l0"].grad)


def test_textbook_layer_is_its_formula() -> None:
    cell = TextbookLayer(3, 5)
    steps = noise(1, 9, 3)
    expected = reference.textbook(as64(steps[0]), as64(cell.input_weight), as64(cell.state_weight), as64(cell.bias))
    np.testing.assert_allclose(as64(cell(steps, None)[0][0]), expected, atol=1e-6)


@pytest.mark.parametrize("kind", ["gru", "lstm", "textbook"])
def test_layers_read_on_where_they_stopped_and_packing_changes_nothing(kind: CellName) -> None:
    torch.manual_seed(0)
    cell, steps = layer(kind, 3, 6), noise(4, 10, 3)
    whole, _ = cell(steps, None)
    first, state = cell(steps[:, :4], None)
    second, _ = cell(steps[:, 4:], None, state)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole)
    lengths = torch.tensor([3, 10, 1, 7])
    packed, _ = cell(steps, lengths)
    for place, length in enumerate(lengths.tolist()):
        torch.testing.assert_close(packed[place, :length], whole[place, :length])


def test_a_fresh_lstm_remembers() -> None:
    given = dict(GatedLayer(2, 4, kind="lstm").cell.named_parameters())
    assert float((given["bias_ih_l0"] + given["bias_hh_l0"])[4:8].detach().min()) == 1.0


def test_decay_layer_is_gru_d_step_by_step() -> None:
    torch.manual_seed(3)
    cell = DecayLayer(3, 5)
    with torch.no_grad():
        for parameter in cell.parameters():  # decays that matter, of both signs
            parameter.copy_(torch.randn_like(parameter) * 0.5)
    signal = irregular([20, 13])
    sequence = read(signal, times=True)
    states, _ = cell(lay(sequence, missing="decay", times=True)[0], sequence.lengths)
    weights = {name: as64(value) for name, value in cell.state_dict().items()}
    for place, length in enumerate([20, 13]):
        expected = reference.gru_decay(as64(signal[place, 1:, :length]).T, as64(signal[place, 0, :length]), weights)
        np.testing.assert_allclose(as64(states[place, :length]), expected, atol=1e-5)


def test_without_gaps_and_decay_the_decay_layer_is_a_gru() -> None:
    # PyTorch's GRU applies r to U h + b; with no bias on that side, and r on h itself, the two differ: the form of Cho
    # et al. is compared by its formula above, here only that nothing fades where everything is observed at once.
    cell, steps = DecayLayer(2, 4), noise(1, 6, 2)
    ones, zeros = torch.ones_like(steps), torch.zeros_like(steps)
    kept, _ = cell(torch.cat([steps, ones, steps, zeros], dim=2), None)
    late, _ = cell(torch.cat([steps, ones, steps, zeros + 50.0], dim=2), None)
    assert not torch.allclose(kept[:, 1:], late[:, 1:])
    torch.testing.assert_close(kept[:, 0], late[:, 0])


def test_both_directions_are_those_of_torch() -> None:
    torch.manual_seed(0)
    ours, theirs = (
        Recurrence(3, cell="gru", width=4, layers=2, both=True),
        nn.GRU(3, 4, num_layers=2, bidirectional=True, batch_first=True),
    )
    for place in range(2):
        for suffix, stack in (("", ours.onward), ("_reverse", ours.backward_layers)):
            for name, value in stack[place].cell.named_parameters():  # type: ignore[union-attr]  # not typed by name
                value.data.copy_(getattr(theirs, name.replace("_l0", f"_l{place}{suffix}")))
    steps, lengths = noise(3, 8, 3), torch.tensor([8, 5, 2])
    states = ours(steps, lengths, {})
    packed = nn.utils.rnn.pack_padded_sequence(steps, lengths, batch_first=True)
    expected, _ = nn.utils.rnn.pad_packed_sequence(theirs(packed)[0], batch_first=True)
    for place, length in enumerate(lengths.tolist()):
        torch.testing.assert_close(states[place, :length], expected[place, :length])


@pytest.mark.parametrize("kind", ["last", "mean", "max", "mean+max", "attention"])
def test_pools_are_their_formulas_and_leave_padding_out(kind: TimePoolingName) -> None:
    torch.manual_seed(0)
    pool, states, lengths = TimePool(4, kind), noise(3, 7, 4), torch.tensor([7, 4, 1])
    found = pool(states, lengths)
    assert found.shape == (3, pool.features)
    states[1, 4:] = float("nan")  # of no meaning beyond the end, so whatever it is
    torch.testing.assert_close(pool(states, lengths), found)
    for place, length in enumerate(lengths.tolist()):
        own = as64(states[place, :length])
        expected = {"last": own[-1], "mean": own.mean(0), "max": own.max(0)}.get(kind)
        if kind == "mean+max":
            expected = np.concatenate([own.mean(0), own.max(0)])
        if kind == "attention":
            parts = (as64(p) for p in (pool.project.weight, pool.project.bias, pool.weigh.weight[0]))
            expected = reference.attention(own, *parts)
        assert expected is not None
        np.testing.assert_allclose(as64(found[place]), expected, atol=1e-5)


def test_last_of_both_directions_takes_the_first_step_of_the_second() -> None:
    states, lengths = noise(2, 5, 4), torch.tensor([5, 3])
    found = TimePool(4, "last", both=True)(states, lengths)
    assert torch.equal(found[1], torch.cat([states[1, 2, :2], states[1, 0, 2:]]))
    assert torch.equal(reverse(states, lengths)[1, 0, :2], found[1, :2])
