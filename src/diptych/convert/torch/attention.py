"""How nn.MultiheadAttention is read: four products, and scores for each head."""

from __future__ import annotations

from typing import Any

import numpy as np

from diptych.convert import kinds
from diptych.convert.graph import Array, Ref
from diptych.convert.kinds import Function
from diptych.convert.torch.symbols import Builder, Constant
from diptych.errors import RefusalError

BY_HEAD = kinds.Transpose((0, 2, 1, 3))


def read_multihead(builder: Builder, path: str, layer: Any, arguments: list[Any], options: dict[str, Any]) -> Any:
    """Vaswani et al. 2017: softmax(Q K^T / sqrt(D)) V in each head, joined and projected.

    Where key_padding_mask is True, a key is not attended to; a row that has no other gives NaN, in PyTorch too.

    Raises:
        RefusalError: it is given another mask, or has biases beside the projections'.
    """
    masks = {}
    for place, name in enumerate(("key_padding_mask", "need_weights", "attn_mask"), 3):
        value = arguments[place] if len(arguments) > place else options.get(name)
        masks[name] = value.value if isinstance(value, Constant) else value
    if masks["attn_mask"] is not None:
        raise RefusalError(f"{path} (MultiheadAttention): attn_mask is not converted; key_padding_mask is")
    if options.get("is_causal") or options.get("average_attn_weights") is False:
        raise RefusalError(f"{path} (MultiheadAttention): is_causal and weights of each head are not converted")
    if layer.bias_k is not None or layer.add_zero_attn:
        raise RefusalError(f"{path} (MultiheadAttention): add_bias_kv and add_zero_attn are not converted")
    if layer.dropout:
        builder.uncertified.append(f"{path}: dropout draws other random numbers")
    given = [builder.tensor(one) for one in arguments[:3]]
    if not layer.batch_first:
        turned = {one: builder.add(f"{path}_batch_first", kinds.Transpose((1, 0, 2)), {"x": one}).ref for one in given}
        given = [turned[one] for one in given]
    parts = _projections(layer)
    heads, width = layer.num_heads, layer.head_dim
    split: dict[str, Ref] = {}
    for (name, matrix), x in zip(parts.items(), given):
        builder.tell_input(x, "float", width=matrix["weight"].shape[1], time=True)
        dense = builder.add(f"{path}_{name}", kinds.Dense(), {"x": x}, matrix, f"{path}.{name}").ref
        wide = builder.add(f"{path}_{name}_heads", kinds.Reshape((-1, heads, width)), {"x": dense}).ref
        split[name] = builder.add(f"{path}_{name}_by_head", BY_HEAD, {"x": wide}).ref
    keys = builder.add(f"{path}_keys", kinds.Transpose((0, 1, 3, 2)), {"x": split["key"]}).ref
    scores = builder.add(f"{path}_scores", kinds.Product(), {"x0": split["query"], "x1": keys}).ref
    scaled = builder.add(f"{path}_scaled", kinds.Scaled(1 / float(np.sqrt(width))), {"x": scores}).ref
    if masks["key_padding_mask"] is not None:
        hidden = _padding(builder, path, builder.tensor(masks["key_padding_mask"]))
        filled = {"x": scaled, "mask": hidden}
        scaled = builder.add(f"{path}_allowed", kinds.Filled(float("-inf")), filled).ref
    weights = builder.add(f"{path}_weights", kinds.Activation(Function("softmax")), {"x": scaled}).ref
    read = builder.add(f"{path}_read", kinds.Product(), {"x0": weights, "x1": split["value"]}).ref
    joined = builder.add(f"{path}_joined", BY_HEAD, {"x": read}).ref
    flat = builder.add(f"{path}_flat", kinds.Reshape((-1, heads * width)), {"x": joined}).ref
    own = _linear(layer.out_proj.weight, layer.out_proj.bias)
    value = builder.add(path, kinds.Dense(), {"x": flat}, own, f"{path}.out_proj")
    builder.origins.setdefault(path, value.ref)
    if not layer.batch_first:
        value = builder.add(f"{path}_time_first", kinds.Transpose((1, 0, 2)), {"x": value.ref})
    return value, builder.add(f"{path}_mean_weights", kinds.Reduce("mean", 1), {"x": weights})


def _padding(builder: Builder, path: str, mask: Ref) -> Ref:
    """The mask of keys (B, S) for the scores of every head and query (B, N, T, S)."""
    given = next((one for one in builder.inputs if one.name == mask.node), None)
    if given is not None and given.shape and given.kind not in ("mask", "padding"):
        raise RefusalError(
            f"{path} (MultiheadAttention): a key_padding_mask of numbers, which is added, is not converted; one of "
            f"bool is (--input 2,7:bool)"
        )
    builder.tell_input(mask, "padding", time=True)
    by_head = builder.add(f"{path}_padding", kinds.Unsqueeze(1), {"x": mask}).ref
    return builder.add(f"{path}_padding_by_head", kinds.Unsqueeze(1), {"x": by_head}).ref


def _projections(layer: Any) -> dict[str, dict[str, Array]]:
    """The matrices of query, key and value, which PyTorch keeps in one where they have one width."""
    names = ("query", "key", "value")
    biases = [None] * 3 if layer.in_proj_bias is None else layer.in_proj_bias.chunk(3)
    if layer.in_proj_weight is not None:
        matrices = layer.in_proj_weight.chunk(3)
    else:
        matrices = layer.q_proj_weight, layer.k_proj_weight, layer.v_proj_weight
    return {name: _linear(*pair) for name, pair in zip(names, zip(matrices, biases), strict=True)}


def _linear(weight: Any, bias: Any) -> dict[str, Array]:
    named = {"weight": weight, "bias": bias}
    return {name: value.detach().cpu().numpy().copy() for name, value in named.items() if value is not None}
