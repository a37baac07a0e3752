"""How many graphs TensorFlow has traced in this process."""

from __future__ import annotations

from typing import Any

_made = [0]


def traced_graphs(count: bool = False) -> int:
    """So many since they are counted; graphs within graphs are graphs, too.

    Args:
        count: begin to count, and import TensorFlow for that.
    """
    if count:
        from tensorflow.python.framework.func_graph import FuncGraph

        make = FuncGraph.__init__

        def counted(*given: Any, **options: Any) -> None:
            _made[0] += 1
            make(*given, **options)

        FuncGraph.__init__ = counted
    return _made[0]
