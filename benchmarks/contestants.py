"""Who is measured, in the order of their turns: ours right after those that they are held against."""

from __future__ import annotations

from collections.abc import Sequence

from contestant import Attention, Contestant, Precision
from ours import Ours
from theirs import Theirs

ATTENTIONS: tuple[Attention, ...] = ("general", "additive")
PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16")


def contestants(only: Sequence[str]) -> list[Contestant]:
    """All of them, or those of these names.

    Raises:
        SystemExit: there is no such name.
    """
    found: list[Contestant] = []
    for attention in ATTENTIONS:
        found.append(Theirs("opennmt", "OpenNMT-py", attention, environment="opennmt"))
        for precision in PRECISIONS:
            found.append(Ours("tensorflow", "Diptych TensorFlow", attention, precision))
            found.append(Ours("pytorch", "Diptych PyTorch", attention, precision))
        found.append(Theirs("joey", "JoeyNMT", attention, environment="joeynmt"))
        found.append(Theirs("keras_fit", "Keras fit", attention, environment="frameworks"))
    found.append(Theirs("textbook_tensorflow", "TensorFlow loop", "additive", environment="frameworks"))
    found.append(Theirs("textbook_pytorch", "PyTorch loop", "additive", environment="frameworks"))
    names = list(dict.fromkeys(contestant.name for contestant in found))
    unknown = [name for name in only if name not in names]
    if unknown:
        raise SystemExit(f"error: --only {','.join(unknown)}: no such contestant; choose among {', '.join(names)}")
    return [contestant for contestant in found if not only or contestant.name in only]
