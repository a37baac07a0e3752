"""How each kind of node but the recurrent ones is written in PyTorch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diptych.convert import kinds
from diptych.convert.torch.texts import applied
from diptych.convert.writing import Write, cut, line, merge, number, plain, scale, select

if TYPE_CHECKING:
    from diptych.convert.graph import Node
    from diptych.convert.torch.writing import ModuleWriter


def _embedding(writer: ModuleWriter, node: Node, kind: kinds.Embedding) -> None:
    rows, columns = writer.graph.weights_of(node)["weight"].shape
    writer.make(node, f"nn.Embedding({rows}, {columns})", {"weight": "weight"})
    writer.assign(node, f"{writer.member(node)}({writer.given(node, 'x')})")


def _dense(writer: ModuleWriter, node: Node, kind: kinds.Dense) -> None:
    weights = writer.graph.weights_of(node)
    rows, columns = weights["weight"].shape
    writer.make(
        node, f"nn.Linear({columns}, {rows}{'' if 'bias' in weights else ', bias=False'})", {n: n for n in node.weights}
    )
    writer.assign(node, f"{writer.member(node)}({writer.given(node, 'x')})")


def _layer_normalization(writer: ModuleWriter, node: Node, kind: kinds.LayerNormalization) -> None:
    weights, x = writer.graph.weights_of(node), writer.given(node, "x")
    if "weight" in weights:
        bias = "" if "bias" in weights else ", bias=False"
        size = weights["weight"].shape[0]
        writer.make(node, f"nn.LayerNorm({size}, eps={kind.epsilon!r}{bias})", {n: n for n in node.weights})
        writer.assign(node, f"{writer.member(node)}({x})")
        return
    if "bias" in weights:
        writer.make(node, f"nn.Parameter(torch.zeros({weights['bias'].shape[0]}))", {"bias": ""})
    bias = f" + {writer.member(node)}" if "bias" in weights else ""
    writer.assign(node, f"F.layer_norm({x}, {x}.shape[-1:], eps={kind.epsilon!r}){bias}")


def _batch_normalization(writer: ModuleWriter, node: Node, kind: kinds.BatchNormalization) -> None:
    weights = writer.graph.weights_of(node)
    places = {"mean": "running_mean", "variance": "running_var"}
    flags = [name in weights for name in ("weight", "bias")]
    size, x = weights["mean"].shape[0], writer.given(node, "x")
    options = f"eps={kind.epsilon!r}, momentum={round(1 - kind.momentum, 12)!r}"
    if any(flags) and not all(flags):
        import numpy as np

        missing = "bias" if flags[0] else "weight"
        fill = np.zeros if missing == "bias" else np.ones
        writer.make(node, f"nn.BatchNorm1d({size}, {options})", {n: places.get(n, n) for n in node.weights})
        if not node.shares:
            writer.members.append(f"self.{node.name}.{missing}.requires_grad_(False)  # the model has none")
            writer.weights[f"{node.name}.{missing}"] = fill(size, weights["mean"].dtype)
    else:
        affine = "" if all(flags) else ", affine=False"
        writer.make(node, f"nn.BatchNorm1d({size}, {options}{affine})", {n: places.get(n, n) for n in node.weights})
    if not node.shares:
        writer.needs.add("batches")
    writer.assign(node, f"{writer.member(node)}({x}.flatten(0, -2)).view_as({x})")


def _convolution(writer: ModuleWriter, node: Node, kind: kinds.Convolution) -> None:
    weights = writer.graph.weights_of(node)
    outputs, inputs, width = weights["weight"].shape
    options = [f"stride={kind.stride}"] if kind.stride > 1 else []
    options += [f"dilation={kind.dilation}"] if kind.dilation > 1 else []
    options += [f"groups={kind.groups}"] if kind.groups > 1 else []
    options += ['padding="same"'] if kind.padding == "same" else []
    options += [] if "bias" in weights else ["bias=False"]
    arguments = ", ".join([str(inputs * kind.groups), str(outputs), str(width), *options])
    writer.make(node, f"nn.Conv1d({arguments})", {n: n for n in node.weights})
    x = writer.given(node, "x")
    before, after = kind.padding if isinstance(kind.padding, tuple) else (0, 0)
    before = kind.dilation * (width - 1) if kind.padding == "causal" else before
    x = f"F.pad({x}, (0, 0, {before}, {after}))" if before or after else x
    writer.assign(node, f"{writer.member(node)}({x}.transpose(1, 2)).transpose(1, 2)")


def _pooling(writer: ModuleWriter, node: Node, kind: kinds.Pooling) -> None:
    function = "F.avg_pool1d" if kind.mode == "mean" else "F.max_pool1d"
    x = writer.given(node, "x")
    writer.assign(node, f"{function}({x}.transpose(1, 2), {kind.size}, {kind.stride}).transpose(1, 2)")


def _global_pooling(writer: ModuleWriter, node: Node, kind: kinds.GlobalPooling) -> None:
    x, keep = writer.given(node, "x"), ", keepdim=True" if kind.keep_axis else ""
    if kind.mode == "max":
        writer.assign(node, f"{x}.amax(dim=1{keep})")
    elif "mask" in node.inputs:
        mask = f"{writer.given(node, 'mask')}[:, :, None]"
        writer.assign(node, f"torch.where({mask}, {x}, 0.0).sum(dim=1{keep}) / {mask}.sum(dim=1{keep})")
    else:
        writer.assign(node, f"{x}.mean(dim=1{keep})")


def _attention(writer: ModuleWriter, node: Node, kind: kinds.Attention) -> None:
    weights = writer.graph.weights_of(node)
    if weights:
        shape = ", ".join(map(str, weights["scale"].shape))
        writer.make(node, f"nn.Parameter(torch.zeros({shape or '()'}))", {"scale": ""})
    scale = f" * {writer.member(node)}" if weights else ""
    query, value = writer.given(node, "query"), writer.given(node, "value")
    key = writer.given(node, "key") if "key" in node.inputs else value
    scores = writer.variable(f"{node.name}_scores")
    if kind.score == "dot":
        writer.lines.append(f"{scores} = {query} @ {key}.transpose(1, 2){scale}")
    else:
        writer.lines.append(f"{scores} = (torch.tanh({query}[:, :, None] + {key}[:, None]){scale}).sum(dim=-1)")
    if "mask" in node.inputs:
        writer.lines.append(f"{scores} = {scores} - 1e9 * ~{writer.given(node, 'mask')}[:, None]")
    if kind.causal:
        writer.lines.append(f"{scores} = {scores} - 1e9 * torch.ones_like({scores}, dtype=torch.bool).triu(1)")
    found = writer.assign(node, f"F.softmax({scores}, dim=-1)", "weights")
    output = f"{found} @ {value}"
    if "query_mask" in node.inputs:
        output = f"torch.where({writer.given(node, 'query_mask')}[:, :, None], {output}, 0.0)"
    writer.assign(node, output)


def _reduce(writer: ModuleWriter, node: Node, kind: kinds.Reduce) -> None:
    function = {"sum": "sum", "mean": "mean", "max": "amax"}[kind.mode]
    keep = ", keepdim=True" if kind.keep_axis else ""
    writer.assign(node, f"{writer.given(node, 'x')}.{function}(dim={kind.axis}{keep})")


def _masks(writer: ModuleWriter, node: Node, kind: kinds.Masks) -> None:
    writer.assign(node, (" & " if kind.mode == "all" else " | ").join(writer.numbered(node)))


def _dropout(writer: ModuleWriter, node: Node, kind: kinds.Dropout) -> None:
    writer.members.append(f"self.{node.name} = nn.Dropout({kind.rate!r})")
    writer.assign(node, f"self.{node.name}({writer.given(node, 'x')})")


WRITERS: dict[type[kinds.Kind], Write] = {
    kinds.Embedding: _embedding,
    kinds.Dense: _dense,
    kinds.Activation: lambda writer, node, kind: writer.assign(
        node, applied(kind.function, writer.given(node, "x"), kind.axis)
    ),
    kinds.LayerNormalization: _layer_normalization,
    kinds.BatchNormalization: _batch_normalization,
    kinds.Convolution: _convolution,
    kinds.Pooling: _pooling,
    kinds.GlobalPooling: _global_pooling,
    kinds.Attention: _attention,
    kinds.Merge: merge("torch"),
    kinds.Concatenate: line("torch.cat([{all}], dim={kind.axis})"),
    kinds.Product: line("{x0} @ {x1}"),
    kinds.Stack: line("torch.stack([{all}], dim={kind.axis})"),
    kinds.Scaled: scale,
    kinds.Select: select,
    kinds.Slice: cut,
    kinds.Flip: line("{x}.flip({kind.axis})"),
    kinds.Transpose: line("{x}.permute{kind.axes}"),
    kinds.Reshape: lambda writer, node, kind: writer.assign(
        node, f"{writer.given(node, 'x')}.reshape({', '.join(map(str, (-1, *kind.shape)))})"
        if -1 not in kind.shape
        else f"{writer.given(node, 'x')}.reshape({writer.given(node, 'x')}.size(0), {', '.join(map(str, kind.shape))})"
    ),
    kinds.Repeat: line("{x}[:, None].expand(-1, {kind.times}, -1)"),
    kinds.Unsqueeze: line("{x}.unsqueeze({kind.axis})"),
    kinds.Squeeze: line("{x}.squeeze({kind.axis})"),
    kinds.Reduce: _reduce,
    kinds.Dropout: _dropout,
    kinds.NotEqual: lambda writer, node, kind: writer.assign(node, f"{writer.given(node, 'x')} != {plain(kind.value)}"),
    kinds.Quantified: lambda writer, node, kind: writer.assign(
        node, f"{writer.given(node, 'x')}.{kind.mode}(dim={kind.axis}{', keepdim=True' if kind.keep_axis else ''})"
    ),
    kinds.MaskOfLengths: line("torch.arange({x}.size(1), device={x}.device) < {lengths}[:, None]"),
    kinds.Masks: _masks,
    kinds.Filled: lambda writer, node, kind: writer.assign(
        node, f"{writer.given(node, 'x')}.masked_fill({writer.given(node, 'mask')}, {number(kind.value)})"
    ),
    kinds.Masked: line("torch.where({mask}[:, :, None], {x}, 0.0)"),
}  # fmt: skip
