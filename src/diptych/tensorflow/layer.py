"""What every layer of the model is."""

from __future__ import annotations

import keras

Arithmetic = str | None
"""A Keras dtype policy by name; "mixed_bfloat16" keeps weights in float32 and computes in bfloat16."""
STANDARD: Arithmetic = None  # Keras's global policy


class Layer(keras.layers.Layer):
    """A layer that makes its weights when it is made, because it is told every size.

    So there is nothing to build, and it says that it is built. Left unsaid, Keras would find that out at the first
    call, by running the layer and all within it once more on symbolic tensors.
    """

    def __init__(self, arithmetic: Arithmetic) -> None:
        """Take the dtype policy of the weights and of what is computed with them."""
        super().__init__(dtype=arithmetic)
        self.built = True
