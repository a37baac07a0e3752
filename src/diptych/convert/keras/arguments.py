"""The arguments of one Keras layer: each is used, known to have no effect on the numbers, or refused."""

from __future__ import annotations

from typing import Any

from diptych.convert.kinds import Function
from diptych.errors import RefusalError

WITHOUT_EFFECT = frozenset(
    # How weights were first drawn, how the layer is called, how it is computed: the stored weights stay what they are.
    "name trainable dtype input_dtype batch_input_shape batch_shape input_shape input_dim_hint sparse ragged optional "
    "kernel_initializer recurrent_initializer bias_initializer embeddings_initializer beta_initializer "
    "gamma_initializer moving_mean_initializer moving_variance_initializer depthwise_initializer unit_forget_bias "
    "seed implementation unroll use_cudnn init inner_init forget_bias_init consume_less beta_init gamma_init autocast "
    "renorm fused rank noise_shape".split()
)
IN_TRAINING = frozenset(
    # They act in training only.
    "kernel_regularizer recurrent_regularizer bias_regularizer activity_regularizer embeddings_regularizer "
    "beta_regularizer gamma_regularizer kernel_constraint recurrent_constraint bias_constraint embeddings_constraint "
    "beta_constraint gamma_constraint W_regularizer U_regularizer b_regularizer W_constraint U_constraint "
    "b_constraint quantization_config lora_rank lora_alpha synchronized".split()
)
KERAS_1 = {
    "output_dim": "units", "inner_activation": "recurrent_activation", "bias": "use_bias", "dropout_W": "dropout",
    "dropout_U": "recurrent_dropout", "p": "rate", "nb_filter": "filters", "filter_length": "kernel_size",
    "border_mode": "padding", "subsample_length": "strides", "pool_length": "pool_size", "stride": "strides",
}  # fmt: skip
"""What Keras 1 called the arguments that are called otherwise since."""


class Arguments:
    """What a layer's config says, taken one by one; `finish` refuses what is left."""

    def __init__(self, where: str, class_name: str, config: dict[str, Any], version: int) -> None:
        self.where, self.class_name, self.version = where, class_name, version
        renamed = KERAS_1 if version == 1 else {}
        self._left = {renamed.get(name, name): value for name, value in config.items()}
        self.trained_otherwise: list[str] = []

    def take(self, name: str, default: Any = None) -> Any:
        """The value of an argument; the default where the config does not have it."""
        return self._left.pop(name, default)

    def only(self, name: str, *allowed: Any, why: str) -> None:
        """Take an argument that may have these values only; the first is what it is where it is missing."""
        value = self.take(name, allowed[0])
        if value not in allowed:
            raise self.refusal(f"{name} = {value!r} cannot be converted: {why}")

    def function(self, name: str, default: str = "linear") -> Function:
        """An activation, as the version that wrote the file understands it."""
        return self.activation(self.take(name, default), name)

    def activation(self, value: Any, name: str = "activation") -> Function:
        """The activation that a config's value means."""
        if isinstance(value, dict):
            inner = value.get("config")
            named = value.get("class_name")
            value = inner if named == "function" else named if not inner or set(inner) <= {"name", "dtype"} else value
        if value is None or value == "linear":
            return Function("linear")
        if value == "hard_sigmoid" and self.version < 3:
            return Function("hard_sigmoid_keras_2")
        if value == "swish":
            value = "silu"
        if value in PLAIN:
            return Function(value)
        if value in WITH_DEFAULT:
            return Function(value, WITH_DEFAULT[value])
        raise self.refusal(f"{name} = {value!r} is not an activation that is converted; these are: {', '.join(KNOWN)}")

    def refusal(self, reason: str) -> RefusalError:
        """The error that names this layer."""
        return RefusalError(f"{self.where} ({self.class_name}): {reason}")

    def finish(self) -> None:
        """Set aside what has no effect on the numbers; refuse what nobody knows.

        Raises:
            RefusalError: an argument that is not known.
        """
        for name, value in self._left.items():
            if name == "dtype" and "float16" in str(_policy(value)):
                raise self.refusal(f"it computes in half precision ({_policy(value)}), where no two frameworks agree; "
                                   f"convert a copy with dtype float32")  # fmt: skip
            if name in IN_TRAINING:
                if value is not None and value is not False:
                    self.trained_otherwise.append(f"{self.where}: {name} acts in training only and is not converted")
            elif name not in WITHOUT_EFFECT:
                raise self.refusal(f"argument {name} = {value!r} is not known, so it cannot be converted")


def _policy(value: Any) -> Any:
    """The name of a dtype policy."""
    return value.get("config", {}).get("name", value) if isinstance(value, dict) else value


PLAIN = frozenset(
    "tanh sigmoid relu relu6 selu softsign softplus silu exponential softmax log_softmax hard_sigmoid".split()
)
WITH_DEFAULT = {"elu": 1.0, "leaky_relu": 0.2}
KNOWN = sorted({"linear", *PLAIN, *WITH_DEFAULT})
