"""The encoded corpus: made once, made anew when a text has changed, whole or not there."""

import os
import time

import pytest

from diptych.config import DataConfig
from diptych.data.opening import open_corpus
from diptych.data.tokens import encoded, stored
from diptych.data.tokens.language import build_languages
from diptych.data.tokens.stored import TYPES
from diptych.data.tokens.tokenizers import WordTokenizer
from diptych.errors import DataError, RunError
from diptych.runs import preparation
from diptych.runs.preparation import open_prepared, prepare, text_states
from diptych.runs.progress import QuietReporter
from diptych.storage import building
from diptych.storage.place import put_folder, replace_file

LINES = [f"{'a ' * (n % 4)}w{n}\t{'b ' * (n % 3)}v{n % 9}" for n in range(40)]


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_text("\n".join(LINES), encoding="utf-8")
    return path


@pytest.fixture
def config(text):
    return DataConfig(corpus="files", train=(str(text),), validation_size=5, test_size=5, maximum_length=3)


@pytest.fixture
def languages(config):
    return build_languages(config, open_corpus(config).train)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "data"


def make(folder, config, languages):
    prepare(folder, config, *languages, open_corpus(config), text_states(config, folder.parent), QuietReporter())
    return open_prepared(folder, config, *languages)


def test_it_is_found_again_and_says_what_was_left_out(folder, config, languages):
    made = make(folder, config, languages)
    found = open_prepared(folder, config, *languages)
    corpus = open_corpus(config).read()
    longer = sum(max(len(side.split()) for side in pair) > 3 for pair in corpus.train)
    assert found.dropped == made.dropped == {"longer than maximum_length = 3 tokens": longer}
    assert len(found.train) == len(corpus.train) - longer and found.train.left_out == longer > 0
    assert len(found.validation) == 5 and found.validation.left_out == 0
    assert found.fingerprint == encoded.fingerprint(found.train) != encoded.fingerprint(found.validation)


def test_another_text_is_another_corpus_and_takes_the_place_of_the_first(folder, text, config, languages):
    first = make(folder, config, languages)
    text.write_text("\n".join(LINES[1:] + LINES[:1]), encoding="utf-8")  # as long as before
    assert open_prepared(folder, config, *languages) is None
    second = make(folder, config, languages)
    assert second.fingerprint != first.fingerprint
    assert len(os.listdir(folder)) == 1
    assert first.train.sources[0].tolist()  # whoever has it open keeps it


def test_another_vocabulary_or_limit_is_another_corpus(folder, config, languages):
    make(folder, config, languages)
    source, target = languages
    assert open_prepared(folder, config, target, target) is None
    assert open_prepared(folder, config.model_copy(update={"maximum_length": 4}), source, target) is None


@pytest.mark.parametrize("corpus", ["phrasebook", "spacing", "numbers"])
def test_what_diptych_makes_itself_follows_from_its_code(folder, corpus, monkeypatch):
    config = DataConfig(corpus=corpus, maximum_pairs=20, validation_size=3, test_size=3)
    languages = build_languages(config, open_corpus(config).train)
    assert len(make(folder, config, languages).train) == 20
    monkeypatch.setattr(preparation, "code", lambda: "other code")
    assert open_prepared(folder, config, *languages) is None


@pytest.mark.parametrize("name", ["description.json", *(f"train/{name}.{kind}" for name, kind in TYPES.items())])
@pytest.mark.parametrize("left", [None, 4])
def test_what_is_damaged_is_made_again(folder, config, languages, name, left):
    whole = make(folder, config, languages)
    path = next(folder.iterdir()) / name
    content = path.read_bytes()
    path.unlink() if left is None else path.write_bytes(content[:left])
    assert open_prepared(folder, config, *languages) is None
    again = make(folder, config, languages)
    assert again.fingerprint == whole.fingerprint
    assert path.read_bytes() == content


def raising(error):
    def fail(*arguments, **options):
        raise error

    return fail


def test_an_error_leaves_nothing(folder, config, languages, monkeypatch):
    monkeypatch.setattr(preparation, "fingerprint", raising(MemoryError))
    with pytest.raises(MemoryError):
        make(folder, config, languages)
    assert not folder.exists()
    monkeypatch.undo()
    assert make(folder, config, languages)


@pytest.mark.parametrize("place", ["fingerprint", "asdict", "forget_progress", "put_folder"])
def test_what_was_interrupted_is_gone_on_with_and_comes_out_the_same(
    folder, tmp_path, config, languages, monkeypatch, place
):
    monkeypatch.setattr(preparation, place, raising(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        make(folder, config, languages)
    assert open_prepared(folder, config, *languages) is None
    [left] = folder.iterdir()
    assert left.name.startswith(".")
    monkeypatch.undo()
    found = make(folder, config, languages)
    assert [path.name for path in folder.iterdir()] == [found.folder.name]
    assert contents(found.folder) == contents(make(tmp_path / "other", config, languages).folder)


@pytest.mark.parametrize("blocks", range(5))
def test_it_goes_on_from_the_last_block(folder, tmp_path, config, languages, monkeypatch, blocks):
    """A process that is killed after so many blocks: the next one's numbers are there, but not in the journal."""
    monkeypatch.setattr(stored, "BLOCK", 3)
    whole = make(tmp_path / "whole", config, languages)

    def cut_short(journal, text):
        if len(written) == blocks:
            (journal.parent / "source.tokens.int32").open("ab").write(b"half a block")
            raise KeyboardInterrupt
        written.append(1)
        replace_file(journal, text)

    written = []
    monkeypatch.setattr(stored, "replace_file", cut_short)
    with pytest.raises(KeyboardInterrupt):
        make(folder, config, languages)
    monkeypatch.setattr(stored, "replace_file", replace_file)
    tokenized = []
    tokenize = WordTokenizer.tokenize
    corpus, texts = open_corpus(config), text_states(config, folder.parent)
    monkeypatch.setattr(WordTokenizer, "tokenize", lambda self, text: tokenized.append(text) or tokenize(self, text))
    prepare(folder, config, *languages, corpus, texts, QuietReporter())
    assert len(tokenized) // 2 <= len(corpus.train) + len(corpus.validation) - 3 * blocks  # not from the beginning
    monkeypatch.undo()
    assert contents(open_prepared(folder, config, *languages).folder) == contents(whole.folder)


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_two_processes_do_not_build_in_one_folder(folder, config, languages, monkeypatch):
    with building.building_folder(folder, "key") as first, building.building_folder(folder, "key") as second:
        assert first != second and first.is_dir() and second.is_dir()
    assert not folder.exists()


def test_an_interruption_leaves_what_was_there(folder, text, config, languages, monkeypatch):
    [before] = [make(folder, config, languages).folder]
    text.write_text("\n".join(LINES[:30]), encoding="utf-8")
    monkeypatch.setattr(preparation, "put_folder", raising(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        make(folder, config, languages)
    assert [path for path in folder.iterdir() if not path.name.startswith(".")] == [before]


def test_a_text_that_changes_while_it_is_read_is_refused(folder, text, config, languages, monkeypatch):
    def change(pairs):
        text.write_text("\n".join(LINES) + "\n", encoding="utf-8")
        return "0" * 12

    monkeypatch.setattr(preparation, "fingerprint", change)
    with pytest.raises(DataError, match="changed while it was read; start again"):
        make(folder, config, languages)
    assert not folder.exists()


def test_a_full_disk_says_so(folder, config, languages, monkeypatch):
    monkeypatch.setattr(preparation, "put_folder", raising(OSError(28, "No space left on device")))
    with pytest.raises(RunError, match="cannot write in .*data: No space left on device; make room"):
        make(folder, config, languages)
    assert not folder.exists()


def test_two_processes_may_make_the_same(folder, config, languages, monkeypatch):
    """The other one ends while this one is about to put its own in place."""

    def late(building, place, **named):
        monkeypatch.setattr(preparation, "put_folder", put_folder)
        make(folder, config, languages)
        put_folder(building, place, **named)

    monkeypatch.setattr(preparation, "put_folder", late)
    assert len(make(folder, config, languages).validation) == 5
    assert len(os.listdir(folder)) == 1


def test_what_a_killed_process_left_goes_but_not_what_another_is_at(folder, config, languages):
    for name in (".0123456789ab.1.tmp", ".0123456789ab.2.tmp"):
        (folder / name / "train").mkdir(parents=True)
    old = time.time() - 7200
    for path in (folder / ".0123456789ab.1.tmp", folder / ".0123456789ab.1.tmp" / "train"):
        os.utime(path, (old, old))
    make(folder, config, languages)
    assert [name for name in os.listdir(folder) if name.startswith(".")] == [".0123456789ab.2.tmp"]
