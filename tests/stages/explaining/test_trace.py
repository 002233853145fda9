"""Traces: ECG paper to scale, plain axes with the reason, a map where it belongs, nothing that breaks the picture."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from hounsfield.core.signal import Signal
from hounsfield.core.types import Float64Array
from hounsfield.stages.explaining.paper import clock
from hounsfield.stages.explaining.picture import Panel
from hounsfield.stages.explaining.trace import Trace, draw_trace

SVG = "{http://www.w3.org/2000/svg}"
HEAD = Panel("V", ("explained: V",))


def ecg(*, rate: float = 250.0, seconds: float = 4.0, units: str = "mV", start_s: float = 0.0) -> Signal:
    """One lead at 0 with a peak of 1 mV at 1 s and a step to 0.5 mV at 3 s."""
    t = np.arange(round(rate * seconds)) / rate
    values = np.where(t >= 3.0, 0.5, 0.0)
    values[round(rate)] = 1.0
    scale = {"mV": 1.0, "uV": 1e3}.get(units, 1.0)
    return Signal((scale * values)[None].astype(np.float32), ("II",), (units,), rate_hz=rate, start_s=start_s)


def drawn(signal: Signal, values: Float64Array | None = None, **more: object) -> ElementTree.Element:
    count = signal.samples if values is None else len(values)
    at: Float64Array = np.arange(count, dtype=np.float64) * (
        1.0 if signal.rate_hz is None else signal.samples / count / signal.rate_hz
    )
    if signal.times_s is not None:
        at = signal.times_s - signal.times_s[0]
    panels = [HEAD] if values is None else [HEAD, Panel("Occlusion", ("p = 0.04",), values)]
    anchor = more.get("anchor_s")
    trace = Trace(signal, signal.leads, at, anchor if isinstance(anchor, float) else None)
    return ElementTree.fromstring(draw_trace(trace, panels))  # noqa: S314  # made here


def numbers(path: str | None) -> Float64Array:
    return np.array([float(n) for n in re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", path or "")])


def of_class(root: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return [e for e in root.iter() if e.get("class") == name]


def grid_lines(root: ElementTree.Element, name: str) -> tuple[Float64Array, Float64Array]:
    """Where upright lines and level lines of the first grid lie."""
    path = of_class(root, name)[0].get("d") or ""
    upright = [float(m[1]) for m in re.finditer(r"M(\S+) \S+v", path)]
    level = [float(m[1]) for m in re.finditer(r"M\S+ (\S+?)h", path)]
    return np.array(upright), np.array(level)


def words(root: ElementTree.Element) -> str:
    return " ".join("".join(e.itertext()) for e in root.iter(f"{SVG}text"))


@pytest.mark.parametrize("units", ["mV", "uV"])
def test_a_small_square_is_a_millimetre_40_ms_and_a_tenth_of_a_millivolt(units: str) -> None:
    root = drawn(ecg(units=units))
    width, height = (float((root.get(k) or "").removesuffix("mm")) for k in ("width", "height"))
    assert [0.0, 0.0, width, height] == pytest.approx(numbers(root.get("viewBox")))  # a user unit is a millimetre
    for name, edge in (("fine", 1.0), ("bold", 5.0)):
        for lines in grid_lines(root, name):
            np.testing.assert_allclose(np.diff(lines), edge, atol=1e-6)
    points = numbers(of_class(root, "trace")[0].get("d")).reshape(-1, 2)
    top = points[np.argmin(points[:, 1])]
    small = grid_lines(root, "fine")[0]
    assert (top[0] - small[0]) * 0.040 == pytest.approx(1.0, abs=0.005)  # squares to the peak, 40 ms each
    before, behind = points[0, 1], points[-1, 1]
    assert (before - top[1]) * 0.1 == pytest.approx(1.0, abs=0.01)  # 0.1 mV each
    assert (before - behind) * 0.1 == pytest.approx(0.5, abs=0.01)
    assert points[-1, 0] - points[0, 0] == pytest.approx(25.0 * (4.0 - 1 / 250.0), abs=0.02)
    assert "40 ms by 0.1 mV" in words(root)


def test_a_map_is_drawn_where_its_steps_lie_and_only_what_speaks_for_the_answer() -> None:
    values = np.full(400, -1.0)  # 100 steps a second
    values[100:110] = 1.0
    values[300:310] = 0.5
    root = drawn(ecg(), values)
    small = grid_lines(root, "fine")[0]
    first, second = of_class(root, "map")
    left, wide = (float(first.get(k) or "") for k in ("x", "width"))
    assert (left - small[0]) / 25.0 == pytest.approx(0.995, abs=1e-3)  # half-way to the step before
    assert wide / 25.0 == pytest.approx(0.100, abs=1e-3)
    strong, weak = (float(e.get("fill-opacity") or "") for e in (first, second))
    assert strong == pytest.approx(2 * weak, rel=0.01)


def test_longer_signals_are_wrapped_and_cut_to_where_the_map_is_highest() -> None:
    values = np.zeros(9000)
    values[6000] = 1.0
    root = drawn(ecg(seconds=90.0, start_s=100.0), values)
    assert len(of_class(root, "bold")) == 3  # three lines of ten seconds
    assert "From 2:25.0 to 2:55.0 of the record" in words(root)
    assert "30 s of the 90 s" in words(root)
    assert len(of_class(root, "map")) == 1
    assert len(draw_trace(Trace(ecg(seconds=90.0), ("II",), np.arange(9000) / 100), [HEAD])) < 400_000


@pytest.mark.parametrize(
    ("signal", "reason"),
    [
        (Signal(np.ones((1, 9), np.float32), ("x",), ("mV",)), "the record tells no rate"),
        (Signal(np.ones((1, 9), np.float32), ("ABP",), ("mmHg",), rate_hz=2.0), "lead ABP is in mmHg, not in mV"),
        (Signal(np.ones((1, 9), np.float32), ("x",), ("",), rate_hz=2.0), "the unit of lead x is not known"),
        (
            Signal(np.ones((1, 9), np.float32), ("HR",), ("mV",), times_s=np.arange(9, dtype=np.float64) * 3600.0),
            "the times of the series are irregular",
        ),
    ],
)
def test_plain_axes_say_why_there_is_no_grid(signal: Signal, reason: str) -> None:
    root = drawn(signal, np.linspace(0, 1, 9))
    assert not of_class(root, "fine")
    assert f"No ECG grid: {reason}." in words(root)
    assert of_class(root, "map")


def test_leads_are_stacked_with_their_names_and_a_gap_stays_a_gap() -> None:
    values = np.tile(ecg().array, (3, 1))
    values[1, 200:400] = np.nan
    values[2] = np.nan
    signal = Signal(values, ("I", "<b>&", "III"), ("mV", "mV", "mV"), rate_hz=250.0)
    root = drawn(signal, np.ones(1000), anchor_s=1.0)
    assert "I" in words(root)
    assert "<b>&" in words(root)
    assert "2 of 3 leads are drawn" in words(root)  # one holds nothing
    assert len(of_class(root, "trace")) == 3  # one piece and two
    assert len(of_class(root, "bold")) == 2
    assert len(of_class(root, "anchor")) == 1
    tops = [grid_lines(root, "bold")[1][0]]
    assert len(tops) == 1


def test_what_did_not_pass_is_said_and_the_trace_is_drawn_all_the_same() -> None:
    signal = ecg()
    trace = Trace(signal, signal.leads, np.arange(1000) / 250.0)
    failed = Panel("Occlusion", ("not shown:", "no better than random"))
    root = ElementTree.fromstring(draw_trace(trace, [HEAD, failed]))  # noqa: S314  # made here
    assert "no better than random" in words(root)
    assert len(of_class(root, "trace")) == 1
    assert not of_class(root, "map")


def test_nothing_known_and_a_flat_lead_are_drawn_without_complaint() -> None:
    nothing = Signal(np.full((1, 50), np.nan, np.float32), ("I",), ("mV",), rate_hz=100.0)
    flat = Signal(np.ones((1, 50), np.float32), ("I",), ("C",), rate_hz=100.0)
    for signal in (nothing, flat):
        assert drawn(signal, np.zeros(50)) is not None


def test_times_are_written_as_people_do() -> None:
    assert clock(12.4) == "12.40 s"
    assert clock(119.96) == "2:00.0"
    assert clock(-75.0) == "-1:15.0"
    assert clock(3723.5) == "1:02:03.5"
