"""Augmentation of whole batches as tensor operations.

Enters: an :class:`~hounsfield.learn.augment.spec.AugmentSpec`, one random generator for each sample, a float32 batch.
Leaves: the parameters that were drawn, and the batch changed by exactly those parameters.
"""
