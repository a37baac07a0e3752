"""A character-level restorer of spaces and capitals, with sampling at several temperatures, in PyTorch.

    python examples/character_spacing_pytorch.py [--steps N] [--output DIR]

character_spacing_tensorflow.py is the same program in TensorFlow, line by line. With --steps 0 nothing is trained: the
checkpoint in DIR is restored, whichever of the two programs wrote it.
"""

import argparse
from itertools import count, takewhile
from pathlib import Path

try:
    import numpy as np
    import torch

    from diptych.config import ModelConfig, TrainingConfig
    from diptych.data.builtin.builtin import phrasebook, spacing_pairs
    from diptych.data.tokens.batches import collate, encode_pairs, source_batch, training_batches
    from diptych.data.tokens.language import Language
    from diptych.data.tokens.tokenizers import CharacterTokenizer
    from diptych.data.tokens.vocabulary import BOS, EOS, Vocabulary
    from diptych.parameters.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
    from diptych.parameters.initialization import initial_parameters
    from diptych.parameters.specification import dropout_shapes
    from diptych.pytorch import Model, Stepper, TrainingStep, export_parameters, load_parameters
    from diptych.randomness import dropout_masks, generator
except ModuleNotFoundError as missing:
    raise SystemExit(f"{missing}: run `make setup`, then .venv/bin/python {__file__}")

SEED, TRAINING_LINES, HELD_OUT_LINES, SHOWN, LONGEST = 1, 20_000, 200, 4, 80
MODEL = ModelConfig(embedding_size=48, encoder_size=64, decoder_size=128, attention="general", dropout=0.1)
TRAINING = TrainingConfig(batch_size=64, learning_rate=0.008, clip_norm=1.0)
TEMPERATURES = (0.1, 0.5, 1.0, 2.0)
CHARACTERS = CharacterTokenizer()


def train(model, pairs, steps):
    """Teacher forcing, as word_translation_pytorch.py writes it out; dropout is the same in both programs."""
    training = TrainingStep(model, TRAINING)
    batches = (rows for epoch in count() for rows in training_batches(pairs, TRAINING.batch_size, SEED, epoch))
    for step, rows in zip(range(1, steps + 1), batches, strict=False):
        batch = collate(pairs, rows)
        shapes = dropout_shapes(MODEL, *batch.source.shape, batch.target_input.shape[1])
        masks = dropout_masks(SEED, step, shapes, MODEL.dropout)
        result = training.step(batch, masks, TRAINING.learning_rate * (1 - (step - 1) / steps))
        if step % max(1, steps // 10) == 0:
            print(f"step {step}  loss {result.loss:.4f}", flush=True)


def restore(stepper, source_characters, target_characters, lines, temperature):
    """Draw one character after another: a low temperature takes the most probable, a high one takes risks."""
    state = stepper.start(*source_batch([source_characters.encode(line) for line in lines]))
    characters, drawn = np.full(len(lines), BOS, np.int32), []
    for step in range(LONGEST):
        log_probabilities, _, state = stepper.step(state, characters)
        scores = torch.from_numpy(log_probabilities[:, EOS:]) / temperature  # pad and bos are never drawn
        probabilities = torch.softmax(scores, dim=-1)
        # Side by side, each as wide as it is probable, the characters reach from 0 to 1: the dice fall on one of them.
        dice = torch.from_numpy(generator(SEED, "dice", step).random((len(lines), 1)))
        passed = torch.cumsum(probabilities, dim=-1)[:, :-1] < dice
        characters = EOS + torch.sum(passed, dim=-1, dtype=torch.int32).numpy()
        drawn.append(characters)
    rows = (takewhile(lambda token: token != EOS, row) for row in zip(*drawn, strict=True))
    return [CHARACTERS.detokenize(target_characters.decode(row)) for row in rows]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=400, help="training steps; 0 restores the checkpoint in DIR")
    parser.add_argument("--output", type=Path, default="runs/character_spacing_pytorch", metavar="DIR")
    arguments = parser.parse_args()

    pairs = spacing_pairs(english for english, _ in phrasebook(SEED, TRAINING_LINES + HELD_OUT_LINES))
    held_out, training = pairs[:HELD_OUT_LINES], pairs[HELD_OUT_LINES:]
    source_characters = Vocabulary.build(CHARACTERS.tokenize(source) for source, _ in training)
    target_characters = Vocabulary.build(CHARACTERS.tokenize(target) for _, target in training)
    sizes = len(source_characters), len(target_characters)

    checkpoint = arguments.output / "checkpoint"
    if arguments.steps > 0:
        model = Model(MODEL, *sizes, precision="float64")
        load_parameters(model, initial_parameters(MODEL, *sizes, SEED))
        encoded = encode_pairs(
            training, Language(CHARACTERS, source_characters), Language(CHARACTERS, target_characters)
        )
        train(model, encoded, arguments.steps)
        write_checkpoint(checkpoint, Checkpoint(export_parameters(model)))
        if arguments.steps < parser.get_default("steps"):
            print(f"{arguments.steps} steps are few: expect gibberish, some {parser.get_default('steps')} are needed")
    model = Model(MODEL, *sizes, precision="float64")
    load_parameters(model, read_checkpoint(checkpoint, model.specification).parameters)

    stepper, (sources, targets) = Stepper(model), zip(*held_out, strict=True)
    for temperature in TEMPERATURES:
        texts = restore(stepper, source_characters, target_characters, sources, temperature)
        right = sum(text == target for text, target in zip(texts, targets, strict=True))
        print(f"\ntemperature {temperature}: {right} of {HELD_OUT_LINES} lines never seen in training are restored")
        for source, text in zip(sources[:SHOWN], texts, strict=False):
            print(f"  {source} -> {text}")


# Both programs start from the same weights, read the same batches, drop the same numbers, throw the same dice and
# compute in float64, so they print the same losses and lines, and each restores the other's checkpoint.
if __name__ == "__main__":
    main()
