"""Diptych: one recurrent sequence-to-sequence model, painted twice, hinged by one set of weights.

`diptych.load(RUN, backend="pytorch").translate(["I feel hungry"])` translates with a run's model.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from diptych.translation.translator import load

__version__ = "0.1.0"
__all__ = ["load"]


def __getattr__(name: str) -> Any:
    # Imported when it is asked for: `import diptych` stays quick, and works with no framework.
    if name == "load":
        from diptych.translation.translator import load

        return load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
