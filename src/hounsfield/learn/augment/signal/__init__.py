"""Augmentation of whole batches of signals (b c t), NaN where nothing was recorded and as padding at the end.

Enters: a :class:`~hounsfield.learn.augment.signal.spec.SignalAugmentSpec`, uniform numbers of each sample, a batch.
Leaves: the parameters that were drawn, and the batch changed by exactly those parameters; what was NaN stays NaN.
"""
