"""The account of a corpus: what was read is what is there and what was left out, whatever the options are."""

import io
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from diptych.config import AdditionalText, DataConfig
from diptych.data.corpus.account import make_account, shown
from diptych.data.corpus.corpus import OpenCorpus
from diptych.data.opening import open_corpus
from diptych.data.tokens.encoded import Encoder
from diptych.data.tokens.language import build_languages
from diptych.errors import DataError

LINES = [
    "a b c\tx",
    "a b  c\tx",
    "a b c\ty",
    "d\tx y z x y z",
    "е ж\tx",
    "no tab",
    "x\t",
    "e f\tg h",
    "a" * 60 + "\tb",
    "k l m n o\tp q r",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("account")


def account_of(config: DataConfig) -> tuple[OpenCorpus, bytes, str]:
    corpus = open_corpus(config)
    source, target = build_languages(config, corpus.train)
    encoder = Encoder(source, target, config.maximum_length, config.minimum_length, config.maximum_ratio)
    verdicts = bytearray()
    list(encoder.encode(corpus.train, verdicts))
    return corpus, bytes(verdicts), ""


@given(
    lines=st.lists(st.sampled_from(LINES), max_size=25),
    more=st.lists(st.sampled_from(LINES), max_size=10),
    weight=st.sampled_from([0.5, 1.0, 2.5]),
    options=st.fixed_dictionaries(
        {},
        optional={
            "maximum_length": st.integers(2, 4),
            "minimum_length": st.just(2),
            "maximum_ratio": st.sampled_from([1.0, 2.5]),
            "maximum_characters": st.just(50),
            "maximum_pairs": st.integers(1, 9),
            "remove_duplicates": st.sampled_from(["pairs", "sources"]),
            "source_scripts": st.just(("Latin",)),
            "target_scripts": st.just(("Latin", "Hangul")),
        },
    ),
)
@example(lines=[], more=["e f\tg h", "k l m n o\tp q r", "d\tx y z x y z"], weight=2.5, options={"maximum_length": 4})
def test_read_is_kept_and_dropped(
    folder: Path, lines: list[str], more: list[str], weight: float, options: dict[str, object]
) -> None:
    lines = [*lines, *(f"w{number} v\tt{number} u" for number in range(6))]
    more = [*more, "last of\tthem all"]
    for name, text in (("train.tsv", lines), ("more.tsv", more)):
        (folder / name).write_text("\n".join(text), "utf-8")
    config = DataConfig(
        corpus="files",
        train=(str(folder / "train.tsv"),),
        additional=(AdditionalText(paths=(str(folder / "more.tsv"),), weight=weight),),
        validation_size=1,
        test_size=2,
        bad_lines="drop",
        **options,  # type: ignore[arg-type]
    )
    try:
        corpus, verdicts, _ = account_of(config)
    except DataError as error:
        if not any(expected in str(error) for expected in ("each of the", "no pair is left", "too few")):
            raise
        return
    listing = io.StringIO()
    account = make_account(corpus, verdicts, config, listing)
    assert account.read == len(lines) + len(more)
    assert account.read == account.train + account.validation + account.test + sum(account.dropped.values())
    assert (account.validation, account.test) == (1, 2)
    assert account.bad_lines == sum(line in ("no tab", "x\t") for line in lines + more)
    # Every one of them has a line in the listing, but for those that only come after the limit or are not drawn.
    header, *listed = listing.getvalue().splitlines()
    assert header == "file\tline\treason\ttext"
    by_reason = Counter(line.split("\t")[2] for line in listed)
    unlisted = ("beyond maximum_pairs", "not drawn")
    assert by_reason == {reason: n for reason, n in account.dropped.items() if not reason.startswith(unlisted)}
    for path, number, reason, text in (line.split("\t") for line in listed):
        lengths = sorted(len(side.split()) for side in text.split(r"\t")[:2])
        if reason.startswith("longer than maximum_length"):
            assert lengths[1] > config.maximum_length
        elif reason.startswith("shorter"):
            assert lengths[0] < config.minimum_length
        elif reason.startswith("one side"):
            assert lengths[1] > config.maximum_ratio * lengths[0]
        assert shown(Path(path).read_text("utf-8").split("\n")[int(number) - 1]) == text
    for reason, examples in account.examples.items():
        assert len(examples) == min(3, account.dropped[reason])


def test_a_corpus_without_files_has_an_account_too() -> None:
    config = DataConfig(maximum_pairs=200, validation_size=20, test_size=30, maximum_length=4)
    corpus, verdicts, _ = account_of(config)
    account = make_account(corpus, verdicts, config, io.StringIO())
    assert account.dropped["longer than maximum_length = 4 tokens"] == sum(map(bool, verdicts)) > 0
    assert account.train + sum(map(bool, verdicts)) == 200
    assert account.read == account.train + account.validation + account.test + sum(account.dropped.values())


def test_what_is_shown_stays_on_its_line() -> None:
    assert shown("a\tb\nc\x1b[31m\u202ed") == r"a\tb\nc\x1b[31m\u202ed"
    assert shown("한" * 500) == "한" * 119 + "…"
