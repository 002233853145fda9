"""Facts about the training part that rules may look at.

Enters: one `Look` per training sample and the encoded answers.
Leaves: a `Fingerprint`; nothing in it identifies a sample.
"""
