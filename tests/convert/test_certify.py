"""`certify` names the mistake that parts two models: each known one, planted, and pairs of them."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest

from diptych.convert.causes.search import faults
from diptych.convert.graph import Graph, Input, Node, Ref
from diptych.convert.kinds import Activation, Function, MaskOfLengths, Recurrent
from diptych.convert.pair import certify
from diptych.differences.catalogue import entries

_specification = importlib.util.spec_from_file_location(
    "recurrent_graphs", Path(__file__).with_name("recurrent_graphs.py")
)
graphs = importlib.util.module_from_spec(_specification)
_specification.loader.exec_module(graphs)

MODEL = graphs.whole_model()
# Row 0 of this embedding is padding, which no layer after it sees.
PLANTED = [fault for fault in faults(MODEL) if fault.what != "its row 0 is zero"]


def test_a_model_is_itself():
    assert certify(MODEL, MODEL).lines() == ["the same numbers: 0.0e+00 apart (limit 1e-12)"]


@pytest.mark.parametrize("fault", PLANTED[::11], ids=str)
def test_a_planted_mistake_is_named(fault):
    verdict = certify(MODEL, fault.graph)
    assert not verdict.same
    assert verdict.explanation is not None
    (found,) = verdict.explanation.faults
    assert found.what == fault.what
    assert found.where == fault.where or fault.where == "every layer of its kind"  # one layer may be enough
    assert verdict.explanation.after <= 1e-12 < verdict.explanation.before


def test_two_mistakes_are_named_together():
    first = next(fault for fault in PLANTED if fault.family == "gates" and fault.where == "gru")
    second = next(fault for fault in faults(first.graph) if "Keras 1" in fault.what and fault.where == "lstm")
    verdict = certify(MODEL, second.graph)
    assert {fault.what for fault in verdict.explanation.faults} == {first.what, second.what}
    assert verdict.first.startswith("lstm.sequence, row 0, step 0")
    assert verdict.to_json()["causes"][0]["entry"] in {entry.name for entry in entries()} | {""}


def test_what_no_mistake_explains_is_said_so():
    """A function more: no mistake with what is there."""
    more = Node("more", Activation(Function("sigmoid")), {"x": MODEL.outputs["y"]})
    other = replace(MODEL, nodes=(*MODEL.nodes, more), outputs={"y": Ref("more")})
    verdict = certify(MODEL, other, seconds=1.0)
    assert verdict.explanation is None
    assert "no mistake of the catalogue" in verdict.lines()[-1]


def test_every_entry_that_is_named_is_in_the_catalogue():
    known = {entry.name for entry in entries()} | {""}
    assert {fault.entry for fault in PLANTED} <= known


def test_lengths_and_a_mask_are_the_same_question():
    """A port that packs takes lengths where the original derives its mask from ids."""
    mask = Node("mask", MaskOfLengths(), {"x": Ref("ids"), "lengths": Ref("lengths")})
    nodes = [mask if node.name == "mask" else node for node in MODEL.nodes]
    port = Graph((*MODEL.inputs, Input("lengths", (), "lengths")), tuple(nodes), MODEL.outputs)
    assert certify(MODEL, port).same


def test_gates_whose_weights_differ_are_named():
    name = "gru.weight_hh"
    rows = MODEL.weights()[name].copy()
    rows[5:10] *= 2
    verdict = certify(MODEL, MODEL.with_weights({name: rows}), seconds=0.0)
    assert verdict.gates == "z"
    assert verdict.first.startswith("gru.sequence")


def test_a_port_that_begins_without_a_state_is_told_so():
    """keras#23462: the original is given the state that it has kept, the port begins anew in each batch."""
    model = graphs.one_layer(Recurrent("gru"), states=True)
    layer = model.node("layer")
    inputs = {name: ref for name, ref in layer.inputs.items() if name != "h0"}
    port = replace(model.with_node(replace(layer, inputs=inputs)), inputs=model.inputs[:1])
    (found,) = certify(model, port).explanation.faults
    assert found.what == "its initial states are not given to it"


@pytest.mark.parametrize("name", ["float16", "float32"])
def test_weights_that_were_rounded_are_named(name):
    verdict = certify(MODEL, MODEL.with_weights({
        key: weight.astype(name).astype(float) for key, weight in MODEL.weights().items()
    }))  # fmt: skip
    (found,) = verdict.explanation.faults
    assert str(found) == f"every layer of its kind: its weights are rounded to {name}"


def test_other_inputs_are_refused():
    from diptych.errors import RefusalError

    wider = replace(MODEL, inputs=(*MODEL.inputs, Input("more", (3,))))
    with pytest.raises(RefusalError, match="as many inputs were expected"):
        certify(MODEL, wider)


def test_weights_that_are_zero_show_nothing_of_their_order():
    from diptych.convert.document import unseen

    name = "gru.bias_hh"
    assert unseen(MODEL) == []
    assert unseen(MODEL.with_weights({name: MODEL.weights()[name] * 0})) == [
        "the order within weights that are all zero: gru.bias_hh"
    ]
