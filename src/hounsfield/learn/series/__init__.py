"""Series without a network: random kernels, summaries, boosted trees, distances between series.

Enters: prepared signals ``n c t`` (NaN where nothing was recorded and behind the end) and rows ``n c``.
Leaves: features, trees and distances that are plain arrays, the same for the same seed.
"""
