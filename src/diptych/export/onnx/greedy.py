"""Greedy search as one graph: token ids in, token ids out, for programs that cannot write the loop themselves."""

from __future__ import annotations

from diptych.config import ModelConfig
from diptych.data.tokens.vocabulary import BOS, EOS, PAD
from diptych.export.onnx import names
from diptych.export.onnx.decoder import write_logits, write_step
from diptych.export.onnx.encoder import inputs, rename, write_encoder
from diptych.export.onnx.products import ModelWriter
from diptych.onnx import message
from diptych.onnx.message import Message
from diptych.onnx.writer import model
from diptych.search.stepper import FIRST_CHOICE

BOOL, INT64 = 9, 7


def greedy_file(writer: ModelWriter, config: ModelConfig, finer: int, room: int) -> Message:
    """greedy_model.onnx: `input_ids` (B, S) and `input_lengths` (B,) give `output_ids` (B, T), eos last, then zeros.

    Args:
        writer: of the graph.
        config: the model's.
        finer: a translation has at most twice its source's tokens, so many times,
        room: and so many more.
    """
    op, constant = writer.op, writer.constant
    made = write_encoder(writer, config)
    doubled = op("Mul", [names.LENGTHS, constant(2 * finer)], "doubled")
    limits = op("Add", [doubled, constant(room)], "limits")  # (B,)
    trips = op("ReduceMax", [limits], "trips", axes=[0], keepdims=0)
    shape = op("Shape", [names.LENGTHS], "batch")
    tokens = op("Expand", [constant(BOS), shape], "first_tokens")
    done = op("Expand", [constant(False, bool), shape], "none_done")
    states = [names.present(name) for name in names.state_names(config)]
    carried = [tokens, done, *(made[name] for name in states)]
    body = _body(writer, config, made=made, limits=limits)
    outputs = [*(f"last.{number}" for number in range(len(carried))), "said"]
    said = writer.ops("Loop", [trips, constant(True, bool), *carried], outputs, body=body)[-1]  # (T, B)
    rename(writer, {names.OUTPUT_IDS: op("Transpose", [said], "rows_said", perm=[1, 0])})
    found = [message.value(names.OUTPUT_IDS, "int64", ["batch", "target"])]
    return model(writer.graph_of("greedy", inputs(), found))


def _body(around: ModelWriter, config: ModelConfig, made: dict[str, str], limits: str) -> Message:
    """One turn: a token for each row; rows that are done say pad."""
    writer = around.body()
    op, constant = writer.op, writer.constant
    names_of = names.state_names(config)
    step, go_on, tokens, done = (writer.name(name) for name in ("turn", "go_on", "tokens", "done"))
    past = [writer.name(names.past(name)) for name in names_of]
    given = {name: made[name] for name in names.memory_names(config)} | dict(zip(names_of, past))
    features, _, after = write_step(writer, config, tokens=tokens, given=given)
    logits = write_logits(writer, config, features)
    choices = op("Slice", [logits, constant([FIRST_CHOICE]), constant([1 << 31]), constant([1])], "choices")
    best = op("ArgMax", [choices], "best", axis=1, keepdims=0)
    chosen = op("Where", [done, constant(PAD), op("Add", [best, constant(FIRST_CHOICE)], "chosen")], "token")
    over = op("GreaterOrEqual", [op("Add", [step, constant(1)], "said_so_far"), limits], "over")
    ended = op("Or", [op("Equal", [chosen, constant(EOS)], "eos"), over], "ended")
    done_now = op("Or", [done, ended], "done_now")
    number = op("Cast", [done_now], "done_numbers", to=INT64)
    all_done = op("Cast", [op("ReduceMin", [number], "least", axes=[0], keepdims=0)], "all_done", to=BOOL)
    results = [op("Not", [all_done], "not_all_done"), chosen, done_now, *(after[name] for name in names_of)]
    results.append(op("Identity", [chosen], "said_now"))
    dtype = writer.dtype.name
    kinds = [("int64", ["batch"]), ("bool", ["batch"])]
    kinds += [(dtype, ["batch", names.state_size(config, name)]) for name in names_of]  # type: ignore[list-item]
    inputs_of = [
        message.value(step, "int64", []),
        message.value(go_on, "bool", []),
        *(message.value(name, kind, sizes) for name, (kind, sizes) in zip([tokens, done, *past], kinds)),
    ]
    outputs = [
        message.value(name, kind, sizes)
        for name, (kind, sizes) in zip(results, [("bool", []), *kinds, ("int64", ["batch"])])
    ]
    return writer.graph_of("turn", inputs_of, outputs)
