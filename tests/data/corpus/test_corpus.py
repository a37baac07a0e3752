"""Corpora: what is read is what was written, and each unreadable file says why."""

import gzip
import random
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.config import DataConfig
from diptych.data.corpus.corpus import Corpus
from diptych.data.corpus.division import divide
from diptych.data.corpus.files import FilePairs
from diptych.data.corpus.lines import read_lines
from diptych.data.opening import load_corpus
from diptych.data.tokens.tokenizers import make_tokenizer
from diptych.errors import DataError

zipped = partial(gzip.compress, mtime=0)  # the time would be part of a test's name

# Everything a line may hold: no NUL, no line feed; a carriage return only where no line feed follows it.
LINES = st.text(st.characters(exclude_characters="\0\n", exclude_categories=["Cs"])).map(lambda line: line.rstrip("\r"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("corpus")


def write(folder: Path, name: str, content: str | bytes) -> str:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


@given(
    lines=st.lists(LINES, min_size=1),
    end=st.sampled_from(["\n", "\r\n"]),
    mark=st.sampled_from([b"", b"\xef\xbb\xbf"]),
    is_zipped=st.booleans(),
)
def test_lines_come_back_as_they_were(folder: Path, lines: list[str], end: str, mark: bytes, is_zipped: bool) -> None:
    if lines[0].startswith("\ufeff"):
        mark = b"\xef\xbb\xbf"  # only one mark is dropped
    content = mark + "".join(line + end for line in lines).encode()
    assert read_lines(write(folder, "text", zipped(content) if is_zipped else content)) == lines


def test_only_a_line_feed_ends_a_line(folder: Path) -> None:
    line = "a\rb\x0bc\x0cd\x1ce\x85f\u2028g\u2029h"
    assert read_lines(write(folder, "text", f"{line}\r\n{line}\n\n{line}\r\r\n{line}\r")) == [
        line, line, "", line + "\r", line + "\r",
    ]  # fmt: skip


def test_gzip_is_told_by_its_bytes_and_may_have_members(folder: Path) -> None:
    assert read_lines(write(folder, "plain.gz", "a\n")) == ["a"]
    assert read_lines(write(folder, "zipped.txt", zipped(b"a\n") + zipped(b"b\n"))) == ["a", "b"]


def test_pairs_from_two_files_and_from_columns(folder: Path) -> None:
    source, target = write(folder, "a.en", "I\tfeel\nhungry\n"), write(folder, "a.ko", "배가\n고파요")
    assert list(FilePairs.open([source, target])) == [("I\tfeel", "배가"), ("hungry", "고파요")]
    columns = write(folder, "a.tsv", "I feel\t배가\tCC-BY\tme\r\nhungry\t고파요\r\n")
    assert list(FilePairs.open([columns])) == [("I feel", "배가"), ("hungry", "고파요")]


@pytest.mark.parametrize(("more_source", "more_target"), [("", "\n"), ("\n", ""), ("\n\n", " \n"), ("\n", "\r\n")])
def test_blank_lines_at_the_end_do_not_count(folder: Path, more_source: str, more_target: str) -> None:
    paths = [write(folder, "a", "a\nb\n" + more_source), write(folder, "b", "c\nd\n" + more_target)]
    assert list(FilePairs.open(paths)) == [("a", "c"), ("b", "d")]
    assert list(FilePairs.open([write(folder, "c", f"a\tc\nb\td\n{more_source}\t\n")])) == [("a", "c"), ("b", "d")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty, expected one sentence per line"),
        (b"\xef\xbb\xbf", "is empty"),
        (zipped(b""), "is empty"),
        (
            b"fine\nna\xefve\n",
            r", line 2, byte 3: 0xef is not UTF-8 \(invalid continuation byte\); save the file as UTF-8",
        ),
        (b"\xef\xbb\xbfa\xff", ", line 1, byte 5: 0xff is not UTF-8"),
        (zipped(b"a\r\nb\r\n\x80"), ", line 3, byte 1: 0x80 is not UTF-8"),
        ("한글\n".encode() + "한".encode()[:2], r", line 2, byte 1: 0xed is not UTF-8 \(unexpected end of data\)"),
        ("ab\n".encode("utf-16"), ", line 1, byte 1: 0xff is not UTF-8 .* it looks like UTF-16"),
        (b"a\nb\nc\0d\n", ", line 3: a NUL character"),
        (zipped(b"some text\n" * 50)[:-9], "is a damaged or cut gzip file"),
        (b"\x1f\x8b and no gzip", "is a damaged or cut gzip file"),
        (zipped(b"text")[:-8] + bytes(8), "is a damaged or cut gzip file .*CRC"),
    ],
)
def test_what_cannot_be_read_says_why(folder: Path, content: bytes, message: str) -> None:
    path = write(folder, "bad.txt", content)
    with pytest.raises(DataError, match=f"^{path} ?{message}"):
        read_lines(path)
    with pytest.raises(DataError, match=f"^{path} ?{message}"):
        list(FilePairs.open([write(folder, "good.txt", "a\n"), path]))


def test_a_path_that_is_no_file_says_so(folder: Path) -> None:
    with pytest.raises(DataError, match=f"^no file at {folder}/nowhere.txt: give the path"):
        read_lines(folder / "nowhere.txt")
    with pytest.raises(DataError, match=f"^{folder} is a folder: give the path"):
        read_lines(folder)
    with pytest.raises(DataError, match="^cannot read .*File name too long"):
        read_lines(folder / ("n" * 300))
    with pytest.raises(DataError, match="^cannot read .*Not a directory"):
        read_lines(Path(write(folder, "a.txt", "a")) / "b.txt")
    with pytest.raises(DataError, match="^cannot read a\0b.*null byte"):
        read_lines("a\0b")


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        ("a\nb\nc\n", "d\ne\n", r"source has 3 lines but .*target has 2 \(blank lines at the end not counted\)"),
        ("a\n\n", "d\ne\nf\n", "source has 1 lines but .*target has 3 "),
        ("a\n\nc\n", "d\ne\nf\n", "source, line 2: the source is empty; write its text or remove the pair"),
        ("a\nb\nc\n", "d\n \u3000\t\nf\n", "target, line 2: the target is empty"),
        ("a\nb\nc\n", "d\ne\n\n", "target, line 3: the target is empty"),
        ("\n\n", "d\ne\n", "source holds only blank lines"),
    ],
)
def test_files_that_do_not_match_are_refused(folder: Path, source: str, target: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        list(FilePairs.open([write(folder, "source", source), write(folder, "target", target)]))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a\tb\nc d\n", "pairs.tsv, line 2: no tab, expected source and target with a tab between them"),
        ("a\tb\n\nc\td\n", "pairs.tsv, line 2: no tab"),
        ("a\tb\n\td\n", "pairs.tsv, line 2, column 1: the source is empty"),
        ("a\tb\nc\t \tmore\n", "pairs.tsv, line 2, column 2: the target is empty"),
        ("\n\n", "pairs.tsv holds only blank lines"),
    ],
)
def test_columns_that_are_missing_or_empty_are_refused(folder: Path, content: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        list(FilePairs.open([write(folder, "pairs.tsv", content)]))


def test_pairs_need_one_or_two_files() -> None:
    with pytest.raises(DataError, match="one TSV or from two aligned files, got 3 files"):
        list(FilePairs.open(["a", "b", "c"]))


@given(
    sources=st.lists(st.sampled_from("abcdefghijABCDEFGHIJ"), min_size=1, max_size=60),
    validation_size=st.integers(0, 4),
    test_size=st.integers(0, 4),
    lowercase=st.booleans(),
    seed=st.integers(0, 9),
)
def test_held_out_sentences_are_not_in_training(
    sources: list[str], validation_size: int, test_size: int, lowercase: bool, seed: int
) -> None:
    pairs = [(f"{source}  x", str(number)) for number, source in enumerate(sources)]
    tokenizer = make_tokenizer("word", lowercase)

    def seen(part: list[tuple[str, str]]) -> list[str]:
        return [" ".join(tokenizer.tokenize(source)) for source, _ in part]

    if 0 < validation_size + test_size >= len(set(seen(pairs))):
        with pytest.raises(DataError, match=f"too few to take {validation_size} pairs for validation and {test_size}"):
            divide(pairs, validation_size, test_size, seed, tokenizer).read()
        return
    corpus = divide(pairs, validation_size, test_size, seed, tokenizer).read()
    assert corpus == divide(pairs, validation_size, test_size, seed, tokenizer).read()
    assert (len(corpus.validation), len(corpus.test)) == (validation_size, test_size)
    assert corpus.train
    held_out = seen(corpus.validation) + seen(corpus.test)
    assert len(set(held_out)) == len(held_out)
    assert not set(held_out) & set(seen(corpus.train))
    parts = corpus.train + corpus.validation + corpus.test
    assert len(set(parts)) == len(parts) == len(pairs) - sum(corpus.dropped.values())
    for part in (corpus.train, corpus.validation, corpus.test):
        assert [pair for pair in pairs if pair in part] == part  # in the order of the files
    assert len(corpus.train) == sum(sentence not in held_out for sentence in seen(pairs))  # nothing else is left out


def test_the_test_part_depends_on_the_seed_and_not_on_the_validation_part() -> None:
    pairs = [(str(number), "x") for number in range(200)]
    tokenizer = make_tokenizer("word")
    first = divide(pairs, 10, 20, 1, tokenizer).read()
    assert divide(pairs, 50, 20, 1, tokenizer).read().test == first.test
    assert divide(pairs, 10, 20, 2, tokenizer).read().test != first.test
    assert max(int(source) for source, _ in first.test) > 100  # from anywhere in the text


@pytest.fixture
def files(tmp_path: Path) -> dict[str, tuple[str, str]]:
    """Training, validation and test text of 50, 4 and 3 pairs, as two aligned files each."""
    return {
        part: (
            write(tmp_path, f"{part}.a", "".join(f"{part} {n}\n" for n in range(size))),
            write(tmp_path, f"{part}.b", "".join(f"{n}\n" for n in range(size))),
        )
        for part, size in (("train", 50), ("validation", 4), ("test", 3))
    }


def test_given_files_stay_whole_and_only_training_is_limited(files: dict[str, tuple[str, str]]) -> None:
    corpus = load_corpus(DataConfig(corpus="files", **files, maximum_pairs=2))
    everything = load_corpus(DataConfig(corpus="files", **files, maximum_pairs=0)).train
    assert len(corpus.train) == 2 and corpus.train == [pair for pair in everything if pair in corpus.train]
    drawn = {
        tuple(load_corpus(DataConfig(corpus="files", **files, maximum_pairs=2, seed=seed)).train) for seed in range(9)
    }
    assert len(drawn) > 1  # by seed, and not the first ones of a sorted file
    assert (len(corpus.validation), len(corpus.test)) == (4, 3)
    assert corpus.dropped == {"beyond maximum_pairs = 2": 48}
    assert len(load_corpus(DataConfig(corpus="files", **files, maximum_pairs=0)).train) == 50


@pytest.mark.parametrize("given_parts", [(), ("validation",), ("test",)])
def test_what_is_not_given_is_taken_out_of_training(
    files: dict[str, tuple[str, str]], given_parts: tuple[str, ...]
) -> None:
    chosen = {part: files[part] for part in ("train", *given_parts)}
    corpus = load_corpus(DataConfig(corpus="files", **chosen, validation_size=5, test_size=7))
    assert len(corpus.validation) == (4 if "validation" in given_parts else 5)
    assert len(corpus.test) == (3 if "test" in given_parts else 7)
    taken = sum({"validation": 5, "test": 7}[part] for part in ("validation", "test") if part not in given_parts)
    assert len(corpus.train) == 50 - taken
    assert not set(corpus.train) & set(corpus.validation + corpus.test)


def test_a_corpus_too_small_to_divide_is_refused(files: dict[str, tuple[str, str]]) -> None:
    with pytest.raises(DataError, match="50 different source sentences, too few to take 500 .* 500 for test"):
        load_corpus(DataConfig(corpus="files", train=files["train"]))


@pytest.mark.parametrize("corpus_kind", ["phrasebook", "spacing", "numbers"])
def test_built_in_corpora_come_the_same_way(corpus_kind: str) -> None:
    config = DataConfig(corpus=corpus_kind, maximum_pairs=30)
    corpus = load_corpus(config)
    assert isinstance(corpus, Corpus)
    assert (len(corpus.train), len(corpus.validation), len(corpus.test)) == (30, 500, 500)
    assert corpus == load_corpus(config)


def test_damaged_bytes_are_read_or_refused_never_worse(folder: Path) -> None:
    whole = zipped("I feel hungry\t배가 고파요\n".encode() * 20)
    chance = random.Random(0)
    for _ in range(300):
        content = bytearray(whole if chance.random() < 0.5 else gzip.decompress(whole))
        for _ in range(chance.randint(1, 3)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        try:
            pairs = list(FilePairs.open([write(folder, "damaged", bytes(content))]))
        except DataError:
            continue
        assert all(source.strip() and target.strip() for source, target in pairs)
