"""A config's [variables] stand for {NAME} in its texts, and a run's own config holds what came of it."""

from __future__ import annotations

import pytest

from diptych.cli.opening import Changes
from diptych.config import read_config
from diptych.errors import ConfigError, UsageError

TEXT = """name = "x-{language}"
[variables]
language = "kor"
folder = "texts"
[data]
corpus = "files"
train = ["{folder}/{language}.tsv"]
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "x.toml"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_they_are_filled_in_wherever_a_text_is(config, tmp_path):
    read = read_config(config)
    assert read.name == "x-kor"
    assert read.data.train == (str(tmp_path / "texts/kor.tsv"),)


def test_another_value_is_as_if_the_file_held_it(config, tmp_path):
    given = Changes(["variables.language=ice", "training.epochs=7"]).read(config)
    other = tmp_path / "y.toml"
    other.write_text(TEXT.replace('"kor"', '"ice"') + "[training]\nepochs = 7\n", encoding="utf-8")
    assert given == read_config(other)
    assert "variables" not in given.to_toml()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"kor"', "3", r"holds texts by name"),
        ("{language}.tsv", "{tongue}.tsv", r"names \{tongue\}, but its \[variables\] are: language, folder"),
        ('language = "kor"\n', "", r"names \{language\}"),
    ],
)
def test_what_cannot_be_filled_in_is_an_error(config, old, new, message):
    config.write_text(TEXT.replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        read_config(config)


def test_a_variable_that_the_file_has_not_is_an_error(config):
    with pytest.raises(ConfigError, match="no variable 'tongue'.*language, folder"):
        Changes(["variables.tongue=x"]).read(config)
    config.write_text('name = "x"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"it has no \[variables\]"):
        Changes(["variables.language=x"]).read(config)


def test_without_a_table_braces_are_text(config):
    config.write_text('name = "x"\n[data]\ncorpus = "files"\ntrain = ["{a}.tsv"]\n', encoding="utf-8")
    assert read_config(config).data.train[0].endswith("{a}.tsv")


def test_only_a_file_has_variables():
    from diptych.config import RunConfig

    with pytest.raises(UsageError, match=r"variables\.language"):
        Changes(["variables.language=x"]).make(RunConfig())
