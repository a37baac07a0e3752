"""Every key of a config says what it means, and a config can be made of what is said."""

import operator
import pydoc
import re
import tomllib

import pytest
from pydantic import ValidationError

from diptych.config import DataConfig, ModelConfig, RunConfig, SearchConfig, TrainingConfig, parse_config
from diptych.config.assignment import assign, read_value
from diptych.config.explained import explained_config
from diptych.config.keys import find_keys, keys
from diptych.errors import ConfigError, UsageError

SECTIONS = {"data": DataConfig, "model": ModelConfig, "training": TrainingConfig, "search": SearchConfig}


def test_every_field_is_a_key_with_a_meaning():
    expected = {"name"} | {f"{name}.{key}" for name, section in SECTIONS.items() for key in section.model_fields}
    assert {name for name in keys() if not name.startswith("data.additional.")} == expected
    for key in keys().values():
        assert len(key.meaning) > 10 and key.meaning.rstrip(")").endswith("."), key.name
        assert key.default is not None or key.example is not None, key.name


def test_help_says_what_the_fields_say():
    for section in SECTIONS.values():
        told = " ".join(pydoc.render_doc(section, renderer=pydoc.plaintext).split())
        for name, field in section.model_fields.items():
            assert f"{name}: {' '.join(field.description.split())}" in told


def test_the_explained_config_is_the_default_one():
    assert parse_config(tomllib.loads(explained_config())) == RunConfig()


def test_what_is_a_comment_in_it_can_be_taken_in():
    """Optional keys and tables have an example behind the #, at a place where TOML lets them stand."""
    text = re.sub(
        r"^# ((?:attention_size|attentional_size|validation_sentences) = .*)$", r"\1", explained_config(), flags=re.M
    )
    config = parse_config(tomllib.loads(text))
    assert (config.model.attention_size, config.training.validation_sentences) == (192, 500)
    text = re.sub(r"^# (\[\[data\.additional\]\]|paths = .*|weight = .*)$", r"\1", explained_config(), flags=re.M)
    values = tomllib.loads(text)
    assert values["data"]["additional"] == [{"paths": ["more.tsv"], "weight": 1.0}]
    values["data"] |= {"corpus": "files", "train": ["pairs.tsv"]}
    assert parse_config(values).data.additional[0].paths == ("more.tsv",)


@pytest.mark.parametrize(
    ("name", "unit", "allowed"),
    [
        ("training.epochs", "epochs", "1 or more"),
        ("training.clip_norm", "", "0 or more"),
        ("model.cell", "", 'one of "gru", "lstm", "rnn"'),
        ("model.dropout", "", "0 or more, below 1"),
        ("training.rise_share", "", "above 0, at most 0.5"),
        ("data.character_coverage", "", "0.98 to 1"),
        ("model.attention_size", "numbers", "1 to 65536"),
        ("model.bidirectional", "", ""),
    ],
)
def test_what_a_key_may_be(name, unit, allowed):
    [key] = find_keys(name)
    assert (key.unit, key.allowed) == (unit, allowed)


BOUNDS = {
    r"([\d.]+) or more": operator.ge,
    r"([\d.]+) to": operator.ge,
    r"above ([\d.]+)": operator.gt,
    r"below ([\d.]+)": operator.lt,
    r"at most ([\d.]+)": operator.le,
    r"to ([\d.]+)": operator.le,
}


def test_what_is_allowed_is_what_validation_allows():
    """Of each key with bounds, values at and beyond them."""
    tried = 0
    for key in keys().values():
        section, _, last = key.name.rpartition(".")
        if section not in SECTIONS or key.choices or not key.allowed:
            continue
        for value in (
            (-1, 0, 1, 1000) if isinstance(key.default or 0, int) else (-1.0, 0.0, 0.5, 0.98, 1.0, 1.5, 1000.0)
        ):
            told = all(
                compare(value, float(found[1]))
                for pattern, compare in BOUNDS.items()
                if (found := re.search(pattern, key.allowed))
            )
            try:
                SECTIONS[section].model_validate({last: value})
                valid = True
            except ValidationError as error:
                # What other keys have to say of it is no bound of its own.
                valid = all(problem["type"] == "value_error" for problem in error.errors())
            assert valid is told, (key.name, value)
            tried += 1
    assert tried > 150


def test_a_word_finds_its_keys():
    assert [key.name for key in find_keys("seed")] == ["data.seed", "training.seed", "search.seed"]
    assert [key.name for key in find_keys("model")] == [f"model.{name}" for name in ModelConfig.model_fields]
    with pytest.raises(UsageError, match=r"no key 'trainig\.epochs'; did you mean training\.epochs"):
        find_keys("trainig.epochs")
    with pytest.raises(UsageError, match=r"no key 'qqqq'; `diptych config` lists every key"):
        find_keys("qqqq")


def test_assigned_values_are_toml_and_bare_words_are_texts():
    config = assign(RunConfig(), ["training.epochs=20", "model.cell = lstm", "name='other'", "model.dropout=0.5"])
    assert (config.training.epochs, config.model.cell, config.name, config.model.dropout) == (20, "lstm", "other", 0.5)
    assert config.data == RunConfig().data
    assert [read_value(text) for text in ("1", "1e-3", "true", "[1, 2]", "a b", "5\nx = 3", "")] == [
        1, 1e-3, True, [1, 2], "a b", "5\nx = 3", "",
    ]  # fmt: skip


def test_assigned_values_have_to_fit_only_together():
    with pytest.raises(ConfigError, match="bridge 'copy' needs decoder_size 8"):
        assign(RunConfig(), ["model.bridge=copy", "model.encoder_size=4"])
    config = assign(RunConfig(), ["model.bridge=copy", "model.encoder_size=4", "model.decoder_size=8"])
    assert config.model.memory_size == config.model.decoder_size


def test_an_assigned_path_is_relative_to_where_it_is_said(tmp_path):
    config = assign(RunConfig(), ["data.corpus=files", 'data.train=["a.en", "a.ko"]'], tmp_path)
    assert config.data.train == (str(tmp_path / "a.en"), str(tmp_path / "a.ko"))


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("training.epochs", UsageError, "'training.epochs' is no assignment: give KEY=VALUE"),
        ("training.epoch=3", UsageError, r"no key 'training\.epoch'; did you mean training\.epochs"),
        ("training=3", UsageError, "training is a section, not a key; `diptych config training`"),
        ("data.additional.weight=2", UsageError, "data.additional is a list of tables: give it whole"),
        ("training.epochs=0", ConfigError, "training.epochs = 0: input should be greater than 0"),
        ("model.cell=gruu", ConfigError, "model.cell = 'gruu': input should be 'gru', 'lstm' or 'rnn'"),
        ("model.bidirectional=yes", ConfigError, "model.bidirectional = 'yes': input should be a valid boolean"),
        ("data.seed=2026-11-28", ConfigError, "strings, numbers, booleans and lists only"),
    ],
)
def test_what_cannot_be_assigned_says_key_value_and_choices(text, error, message):
    with pytest.raises(error, match=message):
        assign(RunConfig(), [text])
