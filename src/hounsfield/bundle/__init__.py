"""What is written and read back: run folders, checkpoints, sealed bundles; every write is whole or not at all.

Enters: arrays, JSON values, plans and fingerprints.
Leaves: files that a kill or a full disk cannot leave half-written, and their contents, verified.
"""
