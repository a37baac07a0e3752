"""A word-level translator from English to Korean, with attention, in TensorFlow.

    python examples/word_translation_tensorflow.py [--steps N] [--output DIR]

word_translation_pytorch.py is the same program in PyTorch, line by line. With --steps 0 nothing is trained: the
checkpoint in DIR is restored, whichever of the two programs wrote it.
"""

import argparse
import os
from itertools import count
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"  # before Keras is imported
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

try:
    import keras
    import tensorflow as tf

    from diptych.config import ModelConfig
    from diptych.data.builtin.builtin import phrasebook
    from diptych.data.tokens.batches import collate, encode_pairs, source_batch, training_batches
    from diptych.data.tokens.language import Language
    from diptych.data.tokens.tokenizers import WordTokenizer
    from diptych.data.tokens.vocabulary import BOS, EOS, PAD, Vocabulary
    from diptych.parameters.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
    from diptych.parameters.initialization import initial_parameters
    from diptych.parameters.specification import specification
    from diptych.plots import attention_map
    from diptych.tensorflow import export_parameters, load_parameters
    from diptych.tensorflow.decoder import Decoder
    from diptych.tensorflow.encoder import Bridge, Encoder
    from diptych.tensorflow.model import Embedding, Output
    from diptych.tensorflow.recurrent import sequence_mask
except ModuleNotFoundError as missing:
    raise SystemExit(f"{missing}: run `make setup`, then .venv/bin/python {__file__}")

SEED, BATCH_SIZE, LEARNING_RATE, EPSILON, CLIP_NORM = 1, 64, 0.004, 1e-8, 1.0
TRAINING_PAIRS, HELD_OUT_PAIRS, LONGEST = 20_000, 100, 20
CONFIG = ModelConfig(embedding_size=96, encoder_size=96, decoder_size=192, attention="additive", dropout=0.0)
WORDS = WordTokenizer()
keras.config.set_floatx("float64")  # so that rounding does not grow into a difference that shows


class Translator(keras.Model):
    """A bidirectional GRU reads English; another GRU, looking back at it through attention, says Korean."""

    def __init__(self, english_size, korean_size):
        super().__init__()
        self.specification = specification(CONFIG, english_size, korean_size)
        self.source_embedding = Embedding(english_size, CONFIG.embedding_size)
        self.target_embedding = Embedding(korean_size, CONFIG.embedding_size)
        self.encoder = Encoder(CONFIG)
        self.bridge = Bridge(CONFIG)
        self.decoder = Decoder(CONFIG)
        self.output_layer = Output(CONFIG, korean_size)

    @tf.function(reduce_retracing=True)
    def encode(self, source, source_lengths):
        memory, final_states = self.encoder(self.source_embedding(source), source_lengths, {})
        mask = sequence_mask(source_lengths, tf.shape(source)[1])
        return self.decoder.source(memory, mask), self.decoder.first_state(self.bridge(final_states))

    @tf.function(reduce_retracing=True)
    def step(self, token, state, memory):
        features, attention, state = self.decoder.step(self.target_embedding(token), state, memory, {})
        return tf.nn.softmax(self.output_layer(features, None), axis=-1), attention, state

    def call(self, source, source_lengths, target_input):
        memory, state = self.encode(source, source_lengths)
        features, _ = self.decoder(self.target_embedding(target_input), state, memory, {})
        return self.output_layer(features, None)


class Adam(keras.optimizers.Adam):
    """Adam as in PyTorch: epsilon is added after the bias correction, and the betas are not rounded to float32."""

    def update_step(self, gradient, variable, learning_rate):
        self.beta_1, self.beta_2 = tf.constant(0.9, tf.float64), tf.constant(0.999, tf.float64)
        steps = tf.cast(self.iterations + 1, tf.float64)
        self.epsilon = EPSILON * tf.sqrt(1.0 - self.beta_2**steps)
        super().update_step(gradient, variable, learning_rate)


def train(model, pairs, steps):
    """Teacher forcing: the decoder reads the right words, and is asked at each of them for the next one."""
    optimizer = Adam(LEARNING_RATE)
    optimizer.build(model.trainable_variables)
    tokens, lengths = tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None], tf.int32)

    @tf.function(input_signature=[tokens, lengths, tokens, tokens])  # one graph for batches of any size
    def train_step(source, source_lengths, target_input, target_output):
        with tf.GradientTape() as tape:
            logits = model(source, source_lengths, target_input)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(target_output, logits)
            real = tf.cast(target_output != PAD, tf.float64)  # padding is neither learnt nor counted
            loss = tf.reduce_sum(losses * real) / tf.reduce_sum(real)
        gradients = tape.gradient(loss, model.trainable_variables)
        # An embedding's gradient is a list of rows, one per token. Made dense, the rows of equal tokens are summed.
        gradients = [tf.convert_to_tensor(gradient) for gradient in gradients]
        scale = tf.minimum(CLIP_NORM / (tf.linalg.global_norm(gradients) + 1e-6), 1.0)  # PyTorch adds the 1e-6
        gradients = [gradient * scale for gradient in gradients]
        optimizer.apply(gradients, model.trainable_variables)
        return loss

    batches = (rows for epoch in count() for rows in training_batches(pairs, BATCH_SIZE, SEED, epoch))
    for step, rows in zip(range(1, steps + 1), batches, strict=False):
        batch = collate(pairs, rows)
        arrays = batch.source, batch.source_lengths, batch.target_input, batch.target_output
        optimizer.learning_rate = LEARNING_RATE * (1 - (step - 1) / steps)
        loss = train_step(*(tf.constant(array) for array in arrays))
        if step % max(1, steps // 10) == 0:
            print(f"step {step}  loss {float(loss):.4f}", flush=True)


def translate(model, english, korean, sentence):
    """Say the most probable word, read it, say the next: the words, their probabilities, and where they looked."""
    source, source_lengths = source_batch([english.encode(WORDS.tokenize(sentence))])
    memory, state = model.encode(tf.constant(source), tf.constant(source_lengths))
    token, words, probabilities, attention = BOS, [], [], []
    while token != EOS and len(words) < LONGEST:
        distribution, weights, state = model.step(tf.constant([token]), state, memory)
        token = int(tf.argmax(distribution[0]))
        words.append(korean.tokens[token])
        probabilities.append(float(distribution[0, token]))
        attention.append(weights[0].numpy())
    return words, probabilities, attention


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=1000, help="training steps; 0 restores the checkpoint in DIR")
    parser.add_argument("--output", type=Path, default="runs/word_translation_tensorflow", metavar="DIR")
    arguments = parser.parse_args()

    pairs = phrasebook(SEED, TRAINING_PAIRS + HELD_OUT_PAIRS)
    held_out, training = pairs[1 : 1 + HELD_OUT_PAIRS], pairs[:1] + pairs[1 + HELD_OUT_PAIRS :]
    english = Vocabulary.build(WORDS.tokenize(source) for source, _ in training)
    korean = Vocabulary.build(WORDS.tokenize(target) for _, target in training)

    checkpoint = arguments.output / "checkpoint"
    if arguments.steps > 0:
        model = Translator(len(english), len(korean))
        load_parameters(model, initial_parameters(CONFIG, len(english), len(korean), SEED))
        train(model, encode_pairs(training, Language(WORDS, english), Language(WORDS, korean)), arguments.steps)
        write_checkpoint(checkpoint, Checkpoint(export_parameters(model)))
        if arguments.steps < parser.get_default("steps"):
            print(f"{arguments.steps} steps are few: expect gibberish, some {parser.get_default('steps')} are needed")
    model = Translator(len(english), len(korean))
    load_parameters(model, read_checkpoint(checkpoint, model.specification).parameters)

    for number, (sentence, _) in enumerate([training[0], *held_out[:4]]):
        words, probabilities, attention = translate(model, english, korean, sentence)
        print(f"\n{sentence} -> {WORDS.detokenize(words).removesuffix(' <eos>')}")
        print("  " + "  ".join(f"{word} {probability:.3f}" for word, probability in zip(words, probabilities)))
        attention_map(WORDS.tokenize(sentence), words, attention, arguments.output / f"attention-{number}.png")
    right = sum(translate(model, english, korean, source)[0][:-1] == target.split() for source, target in held_out)
    print(f"\n{right} of {HELD_OUT_PAIRS} sentences never seen in training are translated word for word")


# Both programs start from the same weights, read the same batches and compute in float64, so they print the same
# losses, translations and probabilities, and each restores the other's checkpoint. TensorFlow needs help with that in
# three places: the dense gradients, the 1e-6 of the clipping, and Adam. docs/differences.md measures each of them.
if __name__ == "__main__":
    main()
