"""The seam: each panel offers what the protocol says, with the same arguments; only the reference does not train."""

from __future__ import annotations

import inspect

import pytest

from diptych import panel as panels
from diptych.errors import BackendError
from diptych.panel import protocol


def offered(kind):
    """The names a protocol adds, and what it says of each."""
    return {name: what for name, what in vars(kind).items() if not name.startswith("_")}


def arguments(function):
    return [name for name in inspect.signature(function).parameters if name != "self"]


@pytest.mark.parametrize("name", ["tensorflow", "pytorch", "reference"])
def test_a_panel_offers_what_the_protocol_says(name, need_frameworks):
    need_frameworks(name)
    panel = panels.load(name, device="cpu")
    kinds = [protocol.Panel, *([protocol.TrainingPanel] if name != "reference" else [])]
    for member, said in (pair for kind in kinds for pair in offered(kind).items()):
        assert callable(getattr(panel, member)), member
        if inspect.isfunction(said):
            found = getattr(panel, member)
            taken = arguments(found.__init__ if inspect.isclass(found) else found)
            assert taken[: len(arguments(said))] == arguments(said), member
    returned = {"TrainingStep": protocol.TrainingStep, "ProductTimer": protocol.ProductTimer, "Model": protocol.Model}
    for member, kind in returned.items():
        if hasattr(panel, member):
            for method, said in offered(kind).items():
                found = getattr(getattr(panel, member), method)
                assert isinstance(found, property) or arguments(found) == arguments(said), method
    assert panels.trains(panel) == (name != "reference")


def test_the_reference_is_refused_where_a_panel_must_train():
    with pytest.raises(BackendError, match="does not train; train with tensorflow or pytorch"):
        panels.training_panel(panels.load("reference"))
