"""The matrix products that a model cannot do without: their shapes and their arithmetic, from its config and a batch.

Counted are all products in docs/equations.md but one: in additive and concat scores the tanh's outputs are weighted
by a vector and summed, which is no product of matrices. A weight that a loop over time multiplies at every step is
counted as so many products, its gradient as one: it can be made at the end, of all steps together. What of an input
is known before the loop is multiplied before it. Nothing is taken off for padding or for states of zeros.

Letters: B sentences, S source and T target positions, N real target positions, R rows of one decoding step.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from diptych.config import ModelConfig
from diptych.parameters.specification import GATES

Part = Literal["forward", "input gradient", "weight gradient"]


@dataclass(frozen=True)
class Product:
    """A product of matrices (m, k) and (k, n), or of a batch of such pairs, made `count` times.

    Attributes:
        name: what it computes.
        part: the product itself, or one of the two that its gradient takes.
        batch: how many pairs are multiplied at once; 1 where the matrices are plain ones.
        m: rows of the result.
        k: the length of the sums.
        n: columns of the result.
        count: how often it is made.
    """

    name: str
    part: Part
    batch: int
    m: int
    k: int
    n: int
    count: int

    @property
    def operations(self) -> int:
        """Multiplications and additions, all `count` times together."""
        return 2 * self.batch * self.m * self.k * self.n * self.count


def training_products(
    config: ModelConfig, vocabulary_size: int, sentences: int, source: int, target: int, tokens: int
) -> list[Product]:
    """The products of one training step, forward and backward.

    Args:
        config: the model's shape.
        vocabulary_size: the target's.
        sentences: B.
        source: S, padding included.
        target: T, padding included.
        tokens: N; only these are projected to the vocabulary.
    """
    forward = _reading(config, sentences, source)
    forward += _decoder(config, sentences, source=source, target=target)
    forward.append(_output(config, vocabulary_size, tokens))
    return [part for product in forward for part in (product, *_gradients(product))]


def decoding_products(
    config: ModelConfig, vocabulary_size: int, sentences: int, source: int, rows: Sequence[int]
) -> list[Product]:
    """The products of decoding one batch.

    Args:
        config: the model's shape.
        vocabulary_size: the target's.
        sentences: B.
        source: S, padding included.
        rows: R of each step in turn: how many hypotheses are extended.
    """
    products = _reading(config, sentences, source)
    for size, steps in sorted(Counter(rows).items()):
        step = [*_decoder(config, size, source, target=1), _output(config, vocabulary_size, size)]
        products += [replace(product, count=product.count * steps) for product in step]
    return products


def _reading(config: ModelConfig, sentences: int, source: int) -> list[Product]:
    """What is done once per source: encoder, bridge and the attention's keys."""
    products = []
    gates, memory, rows = len(GATES[config.cell]), config.memory_size, sentences * source
    for layer in range(config.encoder_layers):
        inputs = config.embedding_size if layer == 0 else memory
        outputs = gates * config.encoder_size
        for direction in ("forward", "backward")[: config.directions]:
            name = f"encoder {direction} {layer}"
            products.append(_product(f"{name} input", rows, k=inputs, n=outputs))
            products.append(_product(f"{name} hidden", sentences, k=config.encoder_size, n=outputs, count=source))
    if config.bridge == "dense":
        for layer in range(config.decoder_layers):
            for state in ("hidden", "cell") if config.cell == "lstm" else ("hidden",):
                products.append(_product(f"bridge {layer} {state}", sentences, k=memory, n=config.decoder_size))
    if config.attention not in ("none", "dot"):  # whose keys are the memory as it is
        products.append(_product("attention keys", rows, k=memory, n=config.key_size))
    return products


def _decoder(config: ModelConfig, rows: int, source: int, target: int) -> list[Product]:
    """What is done for `target` positions of each of `rows` targets, but for the output layer."""
    loops = config.attends_first or config.input_feeding  # a step's input depends on the step before
    once, stepwise = (rows * target, 1), (rows, target)
    size, gates = config.decoder_size, len(GATES[config.cell])

    def dense(name: str, inputs: int, outputs: int, in_loop: bool) -> Product:
        m, count = stepwise if in_loop else once
        return _product(name, m, k=inputs, n=outputs, count=count)

    products = [dense("decoder 0 embedded", config.embedding_size, outputs=gates * size, in_loop=False)]
    rest = config.decoder_input_size - config.embedding_size
    if rest:
        products.append(dense("decoder 0 rest", rest, outputs=gates * size, in_loop=True))
    products += [
        dense(f"decoder {layer} input", size, outputs=gates * size, in_loop=loops)
        for layer in range(1, config.decoder_layers)
    ]
    products += [
        dense(f"decoder {layer} hidden", size, outputs=gates * size, in_loop=True)
        for layer in range(config.decoder_layers)
    ]
    queries, count = (1, target) if loops else (target, 1)
    if config.has_score_layer:
        products.append(dense("attention query", size, outputs=config.score_size, in_loop=loops))
    elif config.attention != "none":
        products.append(
            Product("attention scores", part="forward", batch=rows, m=queries, k=size, n=source, count=count)
        )
    if config.attention != "none":
        products.append(
            Product(
                "attention context", part="forward", batch=rows, m=queries, k=source, n=config.memory_size, count=count
            )
        )
    if config.attentional_layer:
        seen = config.context_size + size
        products.append(dense("attentional layer", seen, outputs=config.feature_size, in_loop=config.input_feeding))
    return products


def _output(config: ModelConfig, vocabulary_size: int, rows: int) -> Product:
    return _product("output layer", rows, k=config.feature_size, n=vocabulary_size)


def _product(name: str, m: int, k: int, n: int, count: int = 1) -> Product:
    return Product(name, part="forward", batch=1, m=m, k=k, n=n, count=count)


def _gradients(product: Product) -> tuple[Product, Product]:
    """The products that give the gradients of the left matrix, and of the right one, which is always the same."""
    m, k, n, count = product.m, product.k, product.n, product.count
    return (
        replace(product, part="input gradient", m=m, k=n, n=k),
        replace(product, part="weight gradient", m=n, k=m * count, n=k, count=1),
    )
