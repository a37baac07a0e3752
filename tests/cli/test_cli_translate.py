"""`diptych translate`: line by line, whatever the lines hold."""

import io
import json
import os
import signal
import subprocess
import sys
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

import diptych
from diptych.cli.lines import decoded_lines
from diptych.config import DataConfig, ModelConfig, TrainingConfig
from diptych.parameters.checkpoint import Checkpoint


@pytest.fixture
def translate(diptych_command, run):
    def call(stdin, *arguments):
        data = stdin if isinstance(stdin, bytes) else stdin.encode("utf-8")
        return diptych_command("translate", run.folder, "--backend", "reference", *arguments, stdin=data)

    return call


def test_lines_become_lines(translate, run):
    code, out, error = translate("I feel hungry\nI am tired\n", "--quiet")
    expected = diptych.load(run.folder, "reference").translate(["I feel hungry", "I am tired"])
    assert (code, error) == (0, "")
    assert out == "".join(f"{each.text}\n" for each in expected)
    assert expected[0].text


def test_doubtful_lines_are_counted_on_standard_error_and_named_in_json(translate):
    """The model is untrained: what it says is cut off, and the last line holds words that it has not read."""
    code, out, error = translate("I feel hungry\n\nxyzzy\n", "--json")
    assert code == 0 and error.startswith("doubtful lines: 2 of 3 (mostly or all unknown to the model: 1; ")
    first, empty, last = (json.loads(line)["doubts"] for line in out.splitlines())
    assert "cut_off" in first and empty == [] and last[0] == "mostly_unknown"


def test_a_line_is_cut_into_sentences_and_put_together_again(translate):
    together = translate("I am. You are!  I am.\n", "--quiet", "--split", "sentences")[1]
    one, two = (translate(f"{line}\n", "--quiet")[1].rstrip("\n") for line in ("I am.", "You are!"))
    assert together == f"{one} {two}  {one}\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--dictionary", "words.tsv"], "is for --replace-unknown"),
        (["--split", "sentences", "--temperature", "1"], "leave out --prefix and --temperature"),
        (["--replace-unknown", "--dictionary", "no.tsv"], "no.tsv"),
    ],
)
def test_options_that_need_others_say_so(translate, options, message):
    code, out, error = translate("I\n", *options)
    assert code in (1, 2) and out == "" and message in error


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("\n", 1),
        ("I feel hungry", 1),  # not ended
        ("\n\nI\n\n", 4),
        ("I feel\u2028hungry\n", 1),
        ("I feel\rhungry\n\r\n", 2),
        ("\u2028\n\x0b\n\x85\n\r\n \n", 5),
        ("one\r\ntwo\r\n", 2),
        ("xyzzy unheard-of 배고파\n", 1),
        ("a\0b\n", 1),
        ("word " * 2000 + "\n", 1),
    ],
)
def test_line_counts_never_drift(translate, text, count):
    code, out, error = translate(text, "--quiet")
    assert (code, error) == (0, "")
    assert out.count("\n") == count
    assert len((out + "x").splitlines()) == count + 1  # and nothing in them breaks a line


@given(
    lines=st.lists(st.text(st.characters(exclude_characters="\n\r\ufeff", codec="utf-8"), max_size=6), min_size=1),
    ends=st.lists(st.sampled_from([b"\n", b"\r\n"]), min_size=1),
    last=st.sampled_from([b"", b"\n"]),
    chunk=st.integers(1, 9),
)
def test_only_line_feeds_end_lines_wherever_the_stream_is_cut(lines, ends, last, chunk):
    data = b"".join(line.encode() + end for line, end in zip(lines, ends * len(lines)))
    data = data.removesuffix(b"\n").removesuffix(b"\r") + last
    with mock.patch("diptych.cli.lines.CHUNK", chunk):
        found = [line for part in decoded_lines(io.BytesIO(data)) for line in part]
    # Without its end, an empty last line is no line.
    assert found == (lines if last or lines[-1] else lines[:-1])


def test_empty_lines_stay_empty_and_others_where_they_were(translate):
    _, alone, _ = translate("I feel hungry\n")
    _, out, _ = translate("\n \r\n\u2028\nI feel hungry\n\n")
    assert out == f"\n\n\n{alone}\n"


def test_chunks_change_nothing(translate, monkeypatch):
    text = "I feel hungry\n\n나 tired\r\nlast" * 5
    sampling = ("--temperature", "1.5", "--seed", "7")
    whole = translate(text, *sampling)
    assert len(set(whole[1].split("\n"))) > 3
    monkeypatch.setattr("diptych.cli.lines.CHUNK", 5)
    assert translate(text, *sampling) == whole


def test_a_byte_order_mark_is_no_word(translate):
    assert translate("\ufeffI feel hungry\n") == translate("I feel hungry\n")


@pytest.mark.parametrize("chunk", [1 << 16, 4])
def test_bad_utf_8_is_named_by_line_and_byte(translate, monkeypatch, chunk):
    monkeypatch.setattr("diptych.cli.lines.CHUNK", chunk)
    code, out, error = translate(b"I feel hungry\nI am \xff tired\nmore\n")
    assert code == 1
    assert out.count("\n") == 1  # what came before is answered
    assert error.startswith("error: standard input, line 2, byte 6: 0xff is not UTF-8")
    assert error.count("\n") == 1


def test_search_options_reach_the_search(translate, run):
    translator = diptych.load(run.folder, "reference")
    line, word = "I feel hungry", run.target_vocabulary.entries[5]
    for arguments, overrides in [
        (["--temperature", "2", "--seed", "5"], {"temperature": 2.0, "seed": 5}),
        (["--beam-size", "3", "--length-penalty", "0"], {"beam_size": 3, "length_penalty": 0.0}),
        (["--max-length", "2"], {"maximum_length": 2}),
        (["--batch-size", "1"], {"batch_size": 1}),
        (["--temperature", "2", "--top-k", "4", "--top-p", "0.7"], {"temperature": 2.0, "top_k": 4, "top_p": 0.7}),
        (["--beam-size", "3", "--coverage-penalty", "4"], {"beam_size": 3, "coverage_penalty": 4.0}),
        (["--min-length", "4", "--no-repeat-ngram", "1"], {"minimum_length": 4, "no_repeat_ngram": 1}),
        (["--forbid-unknown"], {"forbid_unknown": True}),
        (["--allow-unknown"], {"forbid_unknown": False}),
        (["--prefix", word], {"prefix": word}),
        (["--prefix", word, "--beam-size", "2"], {"prefix": word, "beam_size": 2}),
    ]:
        _, out, _ = translate(line, *arguments)
        assert out == translator.translate([line], **overrides)[0].text + "\n", arguments
    assert len(translate(line, "--max-length", "2")[1].split()) == 2
    said = translate(line, "--min-length", "4", "--no-repeat-ngram", "1")[1].split()
    assert len(set(said)) == len(said) >= 4
    assert translate(line, "--prefix", word)[1].startswith(word)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--temperature", "-1"], "temperature"),
        (["--temperature", "nan"], "temperature"),
        (["--temperature", "1", "--beam-size", "2"], "exclude each other"),
        (["--n-best", "2"], "beam_size"),
        (["--top-k", "2"], "set temperature above 0"),
        (["--temperature", "1", "--top-p", "1.5"], "top_p = 1.5"),
        (["--coverage-penalty", "1"], "beam_size"),
        (["--min-length", "7"], "needs a maximum_length"),
        (["--prefix", "qux"], "the prefix 'qux' holds 'qux'"),
        (["--member", "nowhere:jax"], "RUN[:BACKEND[:CHECKPOINT]]"),
        (["--pairs", "2", "--json"], "leave out it or --json"),
        (["--pairs", "2", "--replace-unknown"], "leave out it or --replace-unknown"),
        (["--pairs", "2", "--split", "sentences"], "leave out it or --split sentences"),
        (["--pairs", "2", "--beam-size", "2"], "give --n-best"),
    ],
)
def test_an_impossible_search_is_wrong_usage(translate, arguments, message):
    code, out, error = translate("I feel hungry\n", *arguments)
    assert (code, out) == (2, "")
    assert message in error


def test_json_is_one_object_a_line(translate, run):
    code, out, _ = translate("I feel hungry\n\nI\n", "--json", "--beam-size", "2", "--n-best", "2")
    lines = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [line["source"] for line in lines] == ["I feel hungry", "", "I"]
    assert lines[0]["source_tokens"] == ["I", "feel", "hungry"]
    assert len(lines[0]["attention"]) == len(lines[0]["tokens"])
    assert len(lines[0]["alternatives"]) == 2
    for key in ("text", "tokens", "log_probability", "token_log_probabilities", "attention"):
        assert lines[0]["alternatives"][0][key] == lines[0][key]
    for each in lines[0]["alternatives"]:
        assert len(each["tokens"]) == len(each["token_log_probabilities"]) == len(each["attention"])
    assert lines[0]["alternatives"][0]["score"] >= lines[0]["alternatives"][1]["score"]
    assert lines[1]["text"] == ""


def test_training_pairs_are_what_each_line_would_become_so_many_times(translate):
    code, out, _ = translate("I feel\thungry\n\nI\n", "--pairs", "3", "--beam-size", "2", "--n-best", "2")
    assert code == 0
    best = json.loads(translate("I\n", "--json", "--beam-size", "2", "--n-best", "2")[1])["alternatives"]
    rows = [line.split("\t") for line in out.splitlines()]
    assert [source for source, _ in rows] == ["I feel hungry"] * 3 + ["I"] * 3
    assert {target for _, target in rows[3:]} <= {each["text"] for each in best}


def test_a_checkpoint_is_chosen_by_name(diptych_command, make_run, tmp_path):
    run = make_run(tmp_path / "run")
    later = {name: 9.0 * values for name, values in run.initial_parameters().items()}
    run.record("pytorch").write_checkpoint(run.read_checkpoint("pytorch"), best=True)
    run.record("pytorch").write_checkpoint(Checkpoint(later, {}, {"step": 2}))

    def says(*options):
        arguments = ("translate", run.folder, "--backend", "reference", "--json", *options)
        return diptych_command(*arguments, stdin=b"I feel hungry\n")

    assert says() == says("--checkpoint", "best") == says("--checkpoint", "step-00000001")
    assert says("--checkpoint", "latest") == says("--checkpoint", "step-00000002") != says()
    code, out, error = says("--checkpoint", "newest")
    assert (code, out) == (1, "") and "'average-latest' or a name" in error


def test_an_ensemble_of_two_runs(diptych_command, make_run, run, tmp_path):
    other = make_run(tmp_path / "other", training=TrainingConfig(precision="float64", seed=2))

    def says(*options):
        code, out, error = diptych_command(
            "translate", run.folder, "--backend", "reference", "--json", "--quiet", *options, stdin=b"I feel hungry\n"
        )
        assert (code, error) == (0, "")
        return json.loads(out)

    expected = diptych.load(run.folder, "reference", members=[str(other.folder)]).translate(["I feel hungry"])[0]
    found = says("--member", other.folder)
    assert found["log_probability"] == expected.log_probability != says()["log_probability"]
    assert says("--member", other.folder, "--average", "log_probability")["log_probability"] != found["log_probability"]
    assert says("--member", run.folder, "--member", run.folder) == says()


def test_a_member_of_another_vocabulary_is_refused(diptych_command, make_run, run, tmp_path):
    other = make_run(tmp_path / "other", data=DataConfig(maximum_pairs=20, validation_size=3, test_size=4))
    code, out, error = diptych_command(
        "translate", run.folder, "--backend", "reference", "--member", other.folder, stdin=b"I\n"
    )
    assert (code, out) == (1, "")
    assert (
        f"error: {other.folder} cannot be in an ensemble with {run.folder}: their source vocabularies differ" in error
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_processes_of_an_ensemble_end_with_it(run, number):
    command = [sys.executable, "-m", "diptych", "translate", str(run.folder), "--backend", "reference"]
    command += ["--member", f"{run.folder}:pytorch", "--threads", "1"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:  # fmt: skip
        process.stdin.write(b"I feel hungry\n")
        process.stdin.flush()
        assert process.stdout.readline() != b"\n"
        os.killpg(process.pid, number)  # as from a terminal: the worker gets it, too
        assert process.wait(60) == (130 if number == signal.SIGINT else 143)
        assert process.stderr.read() == b""
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def test_attention_of_one_line_goes_to_the_file_itself(translate, tmp_path):
    assert translate("\nI feel hungry\n", "--attention", tmp_path / "map.svg")[0] == 0
    assert [path.name for path in tmp_path.iterdir()] == ["map.svg"]
    assert "<svg" in (tmp_path / "map.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize("chunk", [1 << 16, 8])
def test_attention_of_several_lines_is_numbered_by_line(translate, tmp_path, monkeypatch, chunk):
    monkeypatch.setattr("diptych.cli.lines.CHUNK", chunk)
    assert translate("I feel hungry\n\nI\nI am\n", "--attention", tmp_path / "map.png")[0] == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["map-1.png", "map-3.png", "map-4.png"]


@pytest.mark.parametrize("name", ["map.gif", "nowhere/map.png"])
def test_a_picture_that_cannot_be_drawn_is_said_first(translate, tmp_path, name):
    code, out, error = translate("I\n", "--attention", tmp_path / name)
    assert (code, out) == (2, "")
    assert "cannot draw" in error


def test_a_model_without_attention_draws_nothing(diptych_command, make_run, tmp_path):
    run = make_run(tmp_path / "run", model=ModelConfig(attention="none"))
    code, _, error = diptych_command(
        "translate", run.folder, "--backend", "reference", "--attention", tmp_path / "map.png", stdin=b"I\n"
    )
    assert code == 2
    assert "attention = 'none'" in error


def test_an_ensemble_draws_the_attention_of_the_member_that_has_one(diptych_command, make_run, run, tmp_path):
    without = make_run(tmp_path / "run", model=ModelConfig(attention="none"))
    command = ("translate", without.folder, "--backend", "reference", "--member", run.folder)
    code, _, error = diptych_command(*command, "--quiet", "--attention", tmp_path / "map.svg", stdin=b"I feel hungry\n")
    assert (code, error) == (0, "")
    assert "<svg" in (tmp_path / "map.svg").read_text(encoding="utf-8")


def test_a_prompt_only_on_a_terminal(run):
    pty = pytest.importorskip("pty")
    own, other = pty.openpty()
    command = [sys.executable, "-m", "diptych", "translate", str(run.folder), "--backend", "reference", "--quiet"]
    with subprocess.Popen(command, stdin=other, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        os.close(other)
        os.write(own, b"I feel hungry\n")
        assert process.stdout.readline() != b"\n"
        os.write(own, b"\x04")
        assert process.wait(60) == 0
        assert process.stderr.read() == b"> > \n"
    os.close(own)
    finished = subprocess.run(command, input=b"I\n", capture_output=True, timeout=60, check=True)
    assert finished.stderr == b""
