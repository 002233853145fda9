"""Where things lie in space: grids, affines, resampling, components, contours; NumPy and SciPy, no files.

Enters: arrays with their affines.
Leaves: arrays on other grids, and what was measured on them.
"""
