"""From one input as read to an array at the plan's size, for training and prediction alike.

Enters: an `Image`, a `Signal` or a `Row`, and the plan's section ``preparation.<input>``.
Leaves: arrays ``c y x``, ``c z y x``, ``c t`` or ``c`` of one shape and dtype.
"""
