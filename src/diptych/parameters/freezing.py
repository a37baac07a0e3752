"""Which weights training leaves as they are, by the patterns of `training.freeze`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from diptych.errors import ConfigError


def frozen_weights(patterns: Sequence[str], names: Iterable[str]) -> frozenset[str]:
    """Those of a model's weights that a pattern matches: "encoder.*" has all of the encoder's.

    They have no gradient, no moments and no average, decay does not pull at them, and they do not count in the norm
    by which gradients are clipped: for training they are constants.

    Args:
        patterns: as in a shell, "*" for any characters, dots among them.
        names: of all weights of the specification.

    Raises:
        ConfigError: a pattern matches none, nothing is left to train, or one of a layer's two biases is to be frozen
            without the other, which TensorFlow has in one variable.
    """
    names = list(names)
    matched = {pattern: [name for name in names if fnmatchcase(name, pattern)] for pattern in patterns}
    for pattern, found in matched.items():
        if not found:
            listed = ", ".join(dict.fromkeys(name.rpartition(".")[0] for name in names))
            raise ConfigError(f"training.freeze: {pattern!r} matches no weight; the model has {listed}")
    frozen = frozenset(name for found in matched.values() for name in found)
    if len(frozen) == len(names):
        raise ConfigError(f"training.freeze = {list(patterns)} leaves no weight to train: match fewer")
    for name in names:
        twin = f"{name.removesuffix('bias_ih')}bias_hh"
        if name.endswith("bias_ih") and twin in names and (name in frozen) != (twin in frozen):
            raise ConfigError(
                f"training.freeze has one of {name} and {twin}, which are one variable in TensorFlow: freeze both"
            )
    return frozen
