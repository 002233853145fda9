"""Networks: encoders, pooling, heads, and the table that names the families.

Enters: a :class:`~hounsfield.learn.nn.spec.NetworkSpec` and a seed.
Leaves: an initialised network with ``forward(inputs, context) -> {"embedding": ..., "<target>": ...}``.
"""
