"""What a signal looks like in numbers."""

import numpy as np

from hounsfield.learn.signal_looks import BANDS, SHARES, signal_looks


def test_power_is_told_by_octave() -> None:
    t = np.arange(512)
    for octave, frequency in enumerate((0.35, 0.18, 0.09, 0.045, 0.02)):
        shares = signal_looks(np.sin(2 * np.pi * frequency * t)[None].astype(np.float32))[len(SHARES) + 4 : -1]
        assert len(shares) == BANDS
        assert int(np.argmax(shares)) == octave
