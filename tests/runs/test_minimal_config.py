"""A config for a text that somebody brings: it fits the text, says why, and a run can be made of it as it is."""

import gzip
import tomllib

import pytest

from diptych.config import read_config
from diptych.errors import DataError, UsageError
from diptych.runs.minimal_config import minimal_config
from diptych.runs.run import Run

NAMES = "Mina Juho Sora Minsu Jiwoo".split()
FRUITS = "apples pears plums grapes figs kiwis".split()
LINES = [(f"{a} eats {n} {b}", f"{b} {n} {a} isst") for a in NAMES for b in FRUITS for n in range(10)]


def write(path, pairs, header=""):
    text = header + "".join(f"{source}\t{target}\n" for source, target in pairs)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def made(tmp_path, *paths, columns=("", "")):
    """The config that is written for these files, in a folder of its own, and its text."""
    folder = tmp_path / "configs"
    folder.mkdir(exist_ok=True)
    text = minimal_config(paths, columns, folder)
    (folder / "made.toml").write_text(text, encoding="utf-8")
    return read_config(folder / "made.toml"), text


def test_it_makes_a_run_as_it_is(tmp_path):
    config, text = made(tmp_path, write(tmp_path / "My pairs.tsv.gz", LINES))
    run = Run.create(config, tmp_path / "run")
    encoded = run.encoded()
    assert (len(encoded.train), len(encoded.validation)) == (240, 30)
    assert not any(encoded.account.examples.values()) and config.name == "My-pairs"
    assert config.data.train == (str(tmp_path / "configs" / "../My pairs.tsv.gz"),)
    assert text.startswith("# For ") and "300 pairs" in text


def test_every_choice_says_why(tmp_path):
    _, text = made(tmp_path, write(tmp_path / "pairs.tsv", LINES))
    lines = text.splitlines()
    for above, line in zip(["", *lines], lines, strict=False):
        assert not line or line[0] in "#" or above.startswith("# "), line
    assert set(tomllib.loads(text)) == {"name", "data", "model", "training"}


@pytest.mark.parametrize(
    ("pairs", "kinds", "why"),
    [
        (LINES, ("word", "word"), "often enough to be learnt"),
        ([(f"w{i} x{i} same", "a b c") for i in range(99)], ("character", "word"), "1.5 times on average, too rarely"),
        ([("".join(a.split()), a) for a, _ in LINES], ("character", "word"), "Most lines have no spaces"),
    ],
)
def test_words_or_characters(tmp_path, pairs, kinds, why):
    config, text = made(tmp_path, write(tmp_path / "pairs.tsv", pairs))
    assert (config.data.source_tokenizer, config.data.target_tokenizer) == kinds
    assert why in text
    assert config.model.attention == ("general" if "character" in kinds else "additive")


def test_more_pairs_a_larger_model_and_fewer_epochs(tmp_path):
    few, _ = made(tmp_path, write(tmp_path / "few.tsv", LINES))
    many, _ = made(tmp_path, write(tmp_path / "many.tsv", [(f"{a} {i}", b) for i in range(40) for a, b in LINES]))
    assert few.model.decoder_size < many.model.decoder_size and few.training.epochs > many.training.epochs
    assert (few.training.stop_metric, many.training.stop_metric) == ("chrf", "loss")
    assert (few.data.validation_size, many.data.validation_size) == (30, 500)
    assert (few.data.maximum_pairs, many.data.minimum_frequency) == (0, 2)
    for config in (few, many):
        assert config.model.decoder_size == config.model.memory_size


def test_what_is_wrong_with_the_text_is_met(tmp_path):
    long = [(f"{' '.join(['so'] * 150)} {i}", "yes yes") for i in range(9)]
    path = write(tmp_path / "pairs.tsv", [*LINES, *LINES, *long, ("only one side", "")])
    config, text = made(tmp_path, path)
    assert (config.data.maximum_length, config.data.bad_lines, config.data.remove_duplicates) == (151, "drop", "pairs")
    assert "308 pairs came before" in text or "300 pairs came before" in text
    assert len(Run.create(config, tmp_path / "run").encoded().train) > 200


def test_aligned_files_and_columns(tmp_path):
    for name, side in (("train.en", 0), ("train.de", 1)):
        (tmp_path / name).write_text("".join(f"{pair[side]}\n" for pair in LINES), encoding="utf-8")
    config, _ = made(tmp_path, tmp_path / "train.en", tmp_path / "train.de")
    assert [path.rpartition("/")[2] for path in config.data.train] == ["train.en", "train.de"]
    assert len(Run.create(config, tmp_path / "run").encoded().train) == 240
    table = write(tmp_path / "table.tsv", [(b, a) for a, b in LINES], "de\ten\n")
    config, _ = made(tmp_path, table, columns=("en", "de"))
    assert (config.data.source_column, config.data.target_column) == ("en", "de")
    assert Run.create(config, tmp_path / "other").corpus().train[0][0].split()[1] == "eats"


@pytest.mark.parametrize("count", [3, 4, 12])
def test_very_few_pairs_are_divided(tmp_path, count):
    config, _ = made(tmp_path, write(tmp_path / "pairs.tsv", LINES[:count]))
    assert len(Run.create(config, tmp_path / "run").encoded().train) == count - 2 * config.data.test_size > 0


def test_what_no_config_can_be_made_of(tmp_path):
    with pytest.raises(DataError, match="2 pair.s., expected at least 3 with different sources"):
        minimal_config([write(tmp_path / "two.tsv", LINES[:2])])
    with pytest.raises(DataError, match="9 pair.s., expected at least 3 with different sources"):
        minimal_config([write(tmp_path / "same.tsv", LINES[:1] * 9)])
    with pytest.raises(UsageError, match="there is no .*nowhere"):
        minimal_config([tmp_path / "nowhere.tsv"])
