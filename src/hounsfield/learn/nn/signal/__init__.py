"""Networks for signals: recurrent, convolutional along time, and both stacked.

Enters: prepared signals (b c t), float32, NaN where nothing was recorded and as padding at the end of shorter series.
Leaves: an embedding (b c) for each signal that does not depend on how much padding follows it.

Written down as an ONNX graph (:mod:`hounsfield.learn.engines.graph`), convolutions, GRU, LSTM and both stacked serve
padded series too; series with times, decay and the textbook cell run with PyTorch alone.
"""
