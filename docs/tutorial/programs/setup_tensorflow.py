"""What every page of the tutorial begins with, in TensorFlow: four sentence pairs, and a model of them."""

# %% setup
import numpy as np
import tensorflow as tf

from diptych.config import ModelConfig, TrainingConfig
from diptych.data.tokens.batches import collate, encode_pairs
from diptych.data.tokens.language import Language
from diptych.data.tokens.tokenizers import WordTokenizer
from diptych.data.tokens.vocabulary import PAD, Vocabulary
from diptych.parameters.initialization import initial_parameters
from diptych.tensorflow import Model, TrainingStep, load_parameters

PAIRS = [
    ("I feel hungry", "나는 배가 고프다"),
    ("tensorflow is very difficult", "텐서플로우는 매우 어렵다"),
    (
        "tensorflow is a framework for deep learning",
        "텐서플로우는 딥러닝을 위한 프레임워크이다",
    ),
    ("tensorflow is very fast changing", "텐서플로우는 매우 빠르게 변화한다"),
]
english, korean = (
    Language(WordTokenizer(), Vocabulary.build(line.split() for line in side))
    for side in zip(*PAIRS)
)
SIZES = len(english.vocabulary), len(korean.vocabulary)

batch = collate(encode_pairs(PAIRS, english, korean), np.arange(len(PAIRS)))
source = tf.constant(batch.source)
lengths = tf.constant(batch.source_lengths)
target_input = tf.constant(batch.target_input)
target_output = tf.constant(batch.target_output)

CONFIG = ModelConfig(
    embedding_size=8,
    encoder_size=16,
    decoder_size=16,
    bidirectional=False,
    bridge="copy",
    attentional_layer=False,
    dropout=0.0,
)


def new_model(**choices):
    """A float64 model with the first weights NumPy draws from seed 1."""
    config = CONFIG.model_copy(update=choices)
    model = Model(config, *SIZES, precision="float64")
    load_parameters(model, initial_parameters(config, *SIZES, seed=1))
    return model


def learn(model, steps, precision="float64"):
    """Train on the four pairs; the loss at each step."""
    training = TrainingStep(model, TrainingConfig(precision=precision))
    return [training.step(batch, {}, 0.02).loss for _ in range(steps)]


def numbers(tensor):
    """A tensor as a NumPy array."""
    return tensor.numpy()


def shape(tensor):
    """A tensor's shape as a tuple."""
    return tuple(tensor.shape)


def gap(one, other):
    """The largest difference between two tensors."""
    largest = np.abs(numbers(one) - numbers(other)).max()
    return f"{largest:.0e}" if largest > 1e-15 else "less than 1e-15"
