"""The model card: what the model is for, how well it does that, how it was trained, and what it cannot."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from diptych import __version__
from diptych.evaluation.measures import MEASURES
from diptych.export.certificate import Check
from diptych.export.scores import Scored
from diptych.export.trained import Trained
from diptych.runs.creation import ENVIRONMENT

TASKS = {
    "phrasebook": "translates short English sentences into Korean",
    "spacing": "puts the spaces into lines that have lost them",
    "names": "translates sentences with invented names from English to Korean",
    "numbers": "says numbers and dates in words",
    "files": "translates lines of text",
}
USES = {
    "onnx": """    diptych translate THIS_FOLDER < lines.txt

`encoder_model.onnx` reads `input_ids` (B, S) and `input_lengths` (B,), both int64, padded with 0 on the right.
`decoder_model.onnx` says one token for each row: it takes the token before (1 for the first), what the encoder gave,
and each `present_state.X` as `past_state.X`. Token 2 ends a translation. What a token is, `tokenizer/` says.
`greedy_model.onnx`, where it is there, searches by itself: it reads the same two and gives `output_ids` (B, T), padded
with 0 behind token 2.""",
    "savedmodel": """    tf.saved_model.load(THIS_FOLDER + "/saved_model/1")

Its signature `encode` reads `input_ids` (B, S) and `input_lengths` (B,), int64, padded with 0 on the right; `step` says
one token for each row from the token before (1 for the first) and all that `encode` or the step before gave.
Token 2 ends a translation. What a token is, `tokenizer/` says. TensorFlow Serving takes `saved_model` as a model's base
path: `1` is its version.""",
    "torchscript": """    torch.jit.load(THIS_FOLDER + "/model.pt")

Its method `encode(input_ids, input_lengths)` reads sources (B, S), int64, padded with 0 on the right, and gives a list
of tensors; `step(token, list)` says one token for each row, from the token before (1 for the first), and gives
log-probabilities, attention and the next list. Token 2 ends a translation. What a token is, `tokenizer/` says.""",
    "litert": """    Interpreter("model.tflite").get_signature_runner("encode")(input_ids=..)

`model.tflite` has two signatures: `encode` reads one sentence, `input_ids` (1, S), int32, of any length; `step` says
one token from the token before (1 for the first) and all that `encode` or the step before gave, each `present_state_X`
as `past_state_X`. Token 2 ends a translation. What a token is, `tokenizer/` says.""",
}


def card(trained: Trained, to: str, precision: str, checks: Sequence[Check], scored: Scored | None) -> str:
    """The card as Markdown."""
    run = trained.run
    data = run.config.data
    lines = [
        f"# {run.config.name}",
        "",
        f"A recurrent sequence-to-sequence model that {TASKS[data.corpus]}, exported by Diptych {__version__} to {to} "
        f"in {precision}.",
        "",
        f"- {model_line(trained)}",
        f"- source: {data.source_tokenizer} tokens, {trained.sizes[0]:,}; target: {data.target_tokenizer} tokens, "
        f"{trained.sizes[1]:,}",
        "",
        "## Use",
        "",
        USES[to],
        "",
        "## Scores",
        "",
        *_scores(scored),
        "",
        "## Training",
        "",
        *(f"- {line}" for line in training_lines(trained)),
        "",
        "## Certified",
        "",
        "| compared | gap | limit |",
        "|---|---|---|",
        *(f"| {one.what} | {one.gap:.2g} | {one.limit:g} |" for one in checks),
        "",
        "certificate.json has the SHA-256 of each file.",
        "",
        "## Limits",
        "",
        "It has seen nothing but its training pairs: other words become <unk>, and longer or other sentences are "
        "translated less well, or wrongly, without a sign of it. What is wrong or unfair in the pairs it has learnt, "
        "too. Nothing that must be right should depend on it unread.",
    ]
    return "\n".join(lines) + "\n"


def _scores(scored: Scored | None) -> list[str]:
    if scored is None:
        return ["None were computed for this export."]
    if scored.missing:
        return [f"None: {scored.missing}"]
    lines = [f"{scored.sentences:,} sentences of the test part, {scored.search}.", ""]
    for system, row in scored.systems.items():
        for name, each in row.items():
            interval = f"{each.low:.2f} to {each.high:.2f}"
            lines.append(f"- {system}: {MEASURES[name].title} {each.score:.2f} ({interval}), `{each.plain_signature}`")
    if scored.equal_tokens is not None:
        lines.append(f"- tokens that are the same in both: {scored.equal_tokens:.2f} %")
    return lines


def model_line(trained: Trained) -> str:
    """What the model is, in a line."""
    model = trained.run.config.model
    numbers = sum(value.size for value in trained.parameters.values())
    directions = "bidirectional" if model.bidirectional else "one-way"
    return (
        f"model: {model.cell.upper()}, encoder {model.encoder_layers} x {model.encoder_size} ({directions}), decoder "
        f"{model.decoder_layers} x {model.decoder_size}, attention {model.attention}, {numbers:,} weights"
    )


def training_lines(trained: Trained) -> list[str]:
    """How it was trained, and where."""
    training, path = trained.run.config.training, trained.run.folder / trained.backend / ENVIRONMENT
    found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    here: dict[str, Any] = found if isinstance(found, dict) else {}
    versions = ", ".join(f"{name} {version}" for name, version in here.get("versions", {}).items())
    lines = [
        f"{training.optimizer}, learning rate {training.learning_rate:g} ({training.schedule}), batches of "
        f"{training.batch_size} {training.batch_by}, {training.epochs} epochs, {training.precision}, seed "
        f"{training.seed}",
        f"checkpoint {trained.which} of {trained.backend}, step {trained.state.get('step', 'unknown')}",
    ]
    loss = trained.state.get("best_validation_loss")
    lines += [f"best validation loss {loss:.4f} nats a token"] if isinstance(loss, float) else []
    if here:
        lines.append(f"{versions}; {here.get('processor', '')}, {here.get('platform', '')}, {here.get('time', '')}")
    return lines
