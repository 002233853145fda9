"""From an image as stored to an array at the plan's size, for training and prediction alike.

Enters: `Image` values and the plan's section ``preparation``.
Leaves: arrays ``c y x`` or ``c z y x`` of one shape, dtype and range.
"""
