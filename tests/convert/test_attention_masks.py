"""Masks of attention: Keras's own and passed ones to PyTorch, key_padding_mask and masked_fill to Keras.

`to_pytorch` and `to_keras` certify what they make, so a model that comes back has passed.
"""

from __future__ import annotations

import numpy as np
import pytest

from diptych.convert.causes.search import faults
from diptych.convert.graph import Graph, Input, Node, Ref
from diptych.convert.keras.architecture import read_keras
from diptych.convert.kinds import Attention
from diptych.convert.pair import certify
from diptych.errors import RefusalError

both = pytest.mark.usefixtures("both_frameworks")
IDS = np.array([[3, 1, 4, 0, 0], [2, 0, 5, 1, 0], [6, 5, 4, 3, 2]])


@both
def test_pytorch_key_padding_mask_and_masked_fill_become_keras():
    import torch
    from torch import nn

    import diptych

    class Model(nn.Module):
        """Attention of several heads over what is no padding; then one query's, with scores filled by hand."""

        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(9, 4)
            self.attention = nn.MultiheadAttention(4, 2, batch_first=True)
            self.score = nn.Linear(4, 4)

        def forward(self, ids, query):
            x = self.embedding(ids)
            context, weights = self.attention(x, x, x, key_padding_mask=ids == 0)
            scores = torch.bmm(context, self.score(query).unsqueeze(2)).squeeze(2)
            own = torch.softmax(scores.masked_fill(~(ids != 0), -1e10), dim=1)
            return torch.bmm(own.unsqueeze(1), context).squeeze(1), weights

    torch.manual_seed(2)
    module = Model().eval()
    given = torch.from_numpy(IDS), torch.randn(3, 4)
    made = diptych.to_keras(module, given)
    with torch.no_grad():
        expected = module(*given)
    for found, one in zip(made([IDS, given[1].numpy()]), expected, strict=True):
        assert np.allclose(np.asarray(found), one.numpy(), atol=2e-6)


@both
def test_a_key_padding_mask_that_is_given_stays_one():
    import torch
    from torch import nn

    import diptych

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention = nn.MultiheadAttention(4, 2, batch_first=True)

        def forward(self, x, padding):
            return self.attention(x, x, x, key_padding_mask=padding)[0]

    module, x, padding = Model().eval(), torch.randn(3, 5, 4), torch.from_numpy(IDS == 0)
    made = diptych.to_keras(module, (x, padding))
    assert made.inputs[1].dtype == "bool"
    with torch.no_grad():
        expected = module(x, padding).numpy()
    assert np.allclose(np.asarray(made([x.numpy(), padding.numpy()])), expected, atol=2e-6)
    with pytest.raises(RefusalError, match=r"key_padding_mask of numbers, which is added, is not converted"):
        diptych.to_keras(module, (x, padding.float()))


@both
@pytest.mark.parametrize("passed", ["", "computed", "given"])
def test_keras_attention_obeys_its_masks_in_pytorch(passed):
    """Those that an Embedding gives, and others that are passed: of the query, whose outputs are zero, and the keys."""
    import keras
    import torch

    import diptych

    layers = keras.layers
    ids, other = keras.Input((None,), dtype="int32"), keras.Input((None,), dtype="int32")
    table = layers.Embedding(9, 4, mask_zero=not passed)
    query, value = table(ids), table(other)
    real = [keras.Input((None,), dtype="bool") for _ in range(2)] if passed == "given" else []
    masks = {"mask": real or [keras.ops.not_equal(ids, 3), keras.ops.not_equal(other, 3)]} if passed else {}
    dot = layers.Attention(use_scale=True)([query, value], **masks)
    additive = layers.AdditiveAttention()([query, value], **masks)
    model = keras.Model([ids, other, *real], [dot, additive])
    made = diptych.to_pytorch(model)
    given = IDS, IDS[:, ::-1].copy(), *[np.asarray(IDS != 3) for _ in real]
    with torch.no_grad():
        found = made(*map(torch.from_numpy, given))
    for one, expected in zip(found, model(list(given)), strict=True):
        assert np.allclose(one.numpy(), np.asarray(expected), atol=2e-6)
    assert np.allclose(found[0].numpy()[1, 1], 0) == (not passed)  # id 0 is padding in one, an id in the other


def test_masks_that_keras_2_passes_are_read_and_not_left_out():
    """A list of tensors in the call's arguments: [["real", 0, 0], ["real_1", 0, 0]]."""

    def given(name, shape, dtype="float32"):
        config = {"name": name, "batch_input_shape": [None, *shape], "dtype": dtype, "sparse": False}
        return {"class_name": "InputLayer", "name": name, "config": config, "inbound_nodes": []}

    call = [["q", 0, 0, {"mask": [["qm", 0, 0], ["vm", 0, 0]]}], ["v", 0, 0, {}]]
    attention = {"class_name": "Attention", "name": "a", "config": {"name": "a"}, "inbound_nodes": [call]}
    inputs = [given("q", [5, 4]), given("v", [5, 4]), given("qm", [5], "bool"), given("vm", [5], "bool")]
    config = {"name": "m", "layers": [*inputs, attention], "output_layers": [["a", 0, 0]],
              "input_layers": [[one["name"], 0, 0] for one in inputs]}  # fmt: skip
    graph = read_keras({"class_name": "Functional", "config": config}, {}, "2.9.0")
    (node,) = graph.nodes
    assert dict(node.inputs) == {
        "query": Ref("q"), "value": Ref("v"), "query_mask": Ref("qm"), "mask": Ref("vm"),
    }  # fmt: skip
    assert [one.kind for one in graph.inputs] == ["float", "float", "mask", "mask"]


def test_a_mask_of_the_wrong_polarity_and_one_that_is_missing_are_named():
    inputs = Input("q", (None, 3)), Input("v", (None, 3)), Input("real", (None,), "mask")
    node = Node("attention", Attention("dot"), {"query": Ref("q"), "value": Ref("v"), "mask": Ref("real")})
    graph = Graph(inputs, (node,), {"y": Ref("attention")})
    for what in (
        "the mask of the attention has True and False in each other's place",
        "the mask of the attention is missing",
    ):
        (planted,) = [fault for fault in faults(graph) if fault.what == what]
        (found,) = certify(graph, planted.graph).explanation.faults
        assert (found.what, found.entry) == (what, "mask_polarity")
