"""`diptych evaluate`: the scores of a run, of a file, and of two systems beside each other."""

import json

import numpy as np
import pytest

import diptych
from diptych.data.opening import open_corpus
from diptych.data.tokens.encoded import encode_pairs
from diptych.evaluation import score
from diptych.evaluation.forced import forced
from diptych.evaluation.unknown_words import unknown_words


@pytest.fixture
def evaluate(diptych_command, run):
    def call(*arguments, backend="reference"):
        return diptych_command("evaluate", run.folder, "--backend", backend, *arguments)

    return call


@pytest.fixture(scope="module")
def test_part(run):
    return list(open_corpus(run.config.data).test)


@pytest.fixture(scope="module")
def rival(make_run, tmp_path_factory, tiny_config):
    training = tiny_config.training.model_copy(update={"seed": 7})
    return make_run(tmp_path_factory.mktemp("runs") / "rival", training=training)


@pytest.fixture
def reference_file(test_part, tmp_path):
    path = tmp_path / "perfect.txt"
    path.write_text("".join(f"{target}\n" for _, target in test_part), encoding="utf-8")
    return path


def test_a_table_with_intervals_and_signatures(evaluate):
    code, out, error = evaluate()
    assert (code, error) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith("BLEU") and "0.00 - " in lines[0]
    assert "tok:13a" in out and "exact match    0.00    0.00 - " in out
    assert "4 sentences of the test part" in lines[-1] and "translated with reference" in lines[-1]
    assert "token accuracy" in out and "perplexity" in out and "unknown words" in out


def test_json_has_every_measure(evaluate, run, test_part):
    code, out, _ = evaluate("--part", "validation", "--tokenize", "char", "--json", "--measures", "all")
    values = json.loads(out)
    assert (code, values["sentences"], values["part"]) == (0, 3, "validation")
    [measured] = values["systems"].values()
    assert {name: values[name] for name in measured} == {name: each["score"] for name, each in measured.items()}
    assert list(values["signatures"]) == ["bleu", "chrf", "chrf++", "ter"]
    assert list(measured) == ["bleu", "chrf", "chrf++", "ter", "exact_match", "cer", "wer", "per"]
    assert "tok:char" in measured["bleu"]["signature"]
    assert values["token_accuracy"] >= 0.0 and values["perplexity"] > 1.0


def test_a_file_is_scored_as_it_is(evaluate, reference_file, tmp_path):
    code, out, _ = evaluate("--hypotheses", reference_file, "--measures", "bleu,cer,exact_match")
    assert code == 0
    assert "BLEU         100.00" in out and "CER            0.00    0.00 -   0.00" in out
    assert "exact match  100.00" in out and "scored as they are" in out and "token accuracy" not in out


def test_translations_are_written(evaluate, run, test_part, tmp_path):
    path = tmp_path / "said.txt"
    assert evaluate("--output", path)[0] == 0
    expected = diptych.load(run.folder, "reference").translate([source for source, _ in test_part])
    assert path.read_text(encoding="utf-8") == "".join(f"{each.text}\n" for each in expected)


def test_two_systems_beside_each_other_and_the_other_way_round(diptych_command, evaluate, run, rival, test_part):
    found = {}
    for one, other in ((run, rival), (rival, run)):
        arguments = ("evaluate", one.folder, "--backend", "reference", "--against", other.folder, "--json")
        code, out, error = diptych_command(*arguments)
        assert (code, error) == (0, "")
        found[one.folder] = json.loads(out)["systems"]
    first, second = found[run.folder], found[rival.folder]
    for folder in (str(run.folder), str(rival.folder)):
        assert first[folder]["chrf"]["score"] == second[folder]["chrf"]["score"]
    assert first[str(run.folder)]["chrf"]["p_value"] is None
    said = diptych.load(rival.folder, "reference").translate([source for source, _ in test_part])
    expected = score([each.text for each in said], [target for _, target in test_part])
    assert first[str(rival.folder)]["chrf"]["score"] == pytest.approx(expected.chrf)


def test_the_table_of_two_systems(evaluate, reference_file):
    code, out, _ = evaluate("--against", reference_file, "--by-length", "--test", "ar")
    assert code == 0
    assert f"B  {reference_file}" in out and "approximate randomization" in out
    row = next(line for line in out.splitlines() if line.startswith("chrF "))
    assert "+" in row and row.split()[-1].startswith("0.")
    assert "chrF, A" in out and "chrF, B" in out


def test_a_run_against_itself_is_the_same_text(evaluate, run):
    code, out, _ = evaluate("--against", run.folder)
    assert code == 0 and out.count("+0.00  the same text") == 3


def test_another_frameworks_translations_come_from_a_process_of_its_own(evaluate, run):
    code, out, error = evaluate("--against", run.folder, "--against-backend", "pytorch")
    assert (code, error) == (0, "")
    assert out.count("the same text") == 3  # the same weights in float64


def test_a_picture_by_length(evaluate, tmp_path):
    assert evaluate("--plot", tmp_path / "lengths.svg")[0] == 0
    assert (tmp_path / "lengths.svg").read_text(encoding="utf-8").startswith("<?xml")


def test_token_accuracy_is_counted_token_by_token(run, test_part):
    translator = diptych.load(run.folder, "reference")
    read = forced(translator.stepper, encode_pairs(test_part, run.source, run.target))
    tokens = correct = 0
    loss = 0.0
    for source, target in test_part:
        ids = np.array([run.source_vocabulary.encode(run.source_tokenizer.tokenize(source))], np.int32)
        state, fed = translator.stepper.start(ids, np.array([ids.shape[1]], np.int32)), 1
        for token in [*run.target_vocabulary.encode(run.target_tokenizer.tokenize(target)), 2]:
            table, _, state = translator.stepper.step(state, np.array([fed], np.int32))
            correct, tokens, loss = correct + int(table[0].argmax() == token), tokens + 1, loss - table[0, token]
            fed = token
    assert (read.tokens, read.correct) == (tokens, correct)
    assert read.loss == pytest.approx(loss / tokens)


def test_unknown_words_are_counted(run):
    translator = diptych.load(run.folder, "reference")
    known = run.source_vocabulary.tokens[4]
    pairs = [(f"{known} unheard-of {known} {known}", "unheard-of")]
    said = translator.translate([source for source, _ in pairs])
    unknown = unknown_words(run, pairs, said)
    assert (unknown.source, unknown.reference) == (25.0, 100.0)
    words = [token for token in said[0].tokens if token != "<eos>"]
    assert unknown.said == pytest.approx(100.0 * words.count("<unk>") / max(1, len(words)))


def test_what_cannot_be_evaluated_is_one_clear_line(evaluate, make_run, tiny_config, tmp_path):
    short = tmp_path / "short.txt"
    short.write_text("one line\n", encoding="utf-8")
    data = tiny_config.data.model_copy(update={"seed": 9})
    foreign = make_run(tmp_path / "foreign", data=data)
    for arguments, message in (
        (("--hypotheses", short), "has 1 lines, expected 4"),
        (("--against", tmp_path / "none.txt"), "no file at"),
        (("--against", foreign.folder), "differ from pair 1 on"),
        (("--against", tmp_path), "is not a run"),
        (("--measures", "meteor"), "unknown measure meteor; choose among: all, bleu"),
        (("--checkpoint", "first"), "unknown checkpoint 'first'"),
        (("--plot", tmp_path / "a.bmp"), "a.bmp"),
    ):
        code, out, error = evaluate(*arguments)
        assert code in (1, 2) and not out, arguments
        assert message in error and error.startswith("error: ") and error.count("\n") == 1, error
