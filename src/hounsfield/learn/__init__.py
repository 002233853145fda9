"""The torch room: networks, losses, augmentation, feeding and running.

Enters: prepared arrays of samples, a plan's network, loss and augmentation sections, addressed random generators.
Leaves: batches, trained networks and their outputs as tensors; nothing below this room imports torch.
"""
