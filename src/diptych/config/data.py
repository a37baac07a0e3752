"""Where the sentence pairs come from and how they become tokens."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from diptych.config.section import Natural, NaturalReal, Positive, Section

TokenizerKind = Literal["word", "character", "jamo", "unigram", "bpe"]
Normalization = Literal["none", "NFC", "NFD", "NFKC", "NFKD"]
Script = Literal[
    "Arabic", "Armenian", "Bengali", "Bopomofo", "Cyrillic", "Devanagari", "Ethiopic", "Georgian", "Greek", "Gujarati",
    "Gurmukhi", "Han", "Hangul", "Hebrew", "Hiragana", "Kannada", "Katakana", "Khmer", "Lao", "Latin", "Malayalam",
    "Mongolian", "Myanmar", "Oriya", "Sinhala", "Tamil", "Telugu", "Thai", "Tibetan",
]  # fmt: skip
Tongue = Literal["english", "korean"]
# A column's name, or its number from 1.
Column = Annotated[str, BeforeValidator(lambda value: str(value) if type(value) is int else value)]


class AdditionalText(Section):
    """More training pairs beside those of `train`."""

    # One table, or two aligned files; relative paths are relative to the config file.
    paths: Annotated[tuple[str, ...], Field(min_length=1, max_length=2)]
    # How often each pair is seen in an epoch: 2.0 twice; 0.5 half of them once, chosen at random by data.seed.
    weight: Annotated[float, Field(gt=0.0, le=100.0)] = 1.0
    # Instead of those of [data].
    source_column: Column = ""
    target_column: Column = ""


class DataConfig(Section):
    """Where the sentence pairs come from and how they become tokens."""

    corpus: Literal["phrasebook", "spacing", "numbers", "files"] = "phrasebook"
    # Whose spaces `spacing` takes out of the phrasebook, and in which words `numbers` are said.
    language: Tongue = "english"
    # Paths of the three parts. `files`: two aligned files or one table (.csv, .jsonl, anything else is a TSV).
    # `spacing`: one text file, or none for the phrasebook's own sentences. Any may be compressed (gzip, bzip2, xz,
    # zstd). Relative paths are relative to the config file.
    train: tuple[str, ...] = ()
    validation: tuple[str, ...] = ()
    test: tuple[str, ...] = ()
    # Where no validation or test file is given, so many pairs are taken out of the training text for each.
    validation_size: Positive = 500
    test_size: Positive = 500
    # Only the first so many training pairs (0: all).
    maximum_pairs: Natural = 20000
    source_tokenizer: TokenizerKind = "word"
    target_tokenizer: TokenizerKind = "word"
    # The Unicode normal form of both sides, made before they are lower-cased and split, and of what the model says.
    normalization: Normalization = "NFC"
    lowercase_source: bool = False
    lowercase_target: bool = False
    # The vocabulary of a side with subwords (unigram, bpe), its four special tokens included; sentencepiece finds them
    # in the training pairs. Of a text with more than 4,000,000 characters in different words it sees the common ones.
    subword_size: Annotated[int, Field(ge=5)] = 8000
    # Which part of the text is made of characters that are subwords themselves; the rarest characters are unknown.
    character_coverage: Annotated[float, Field(ge=0.98, le=1.0)] = 1.0
    # Training divides words into subwords at random, in each epoch anew (0: never): for bpe, the probability with
    # which a merge is left out; for unigram, the exponent of a division's probability, lower for more variety. A
    # sentence divided so may be longer than maximum_length.
    subword_sampling: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
    # These two cut word, character and jamo vocabularies; subwords have subword_size.
    minimum_frequency: Positive = 1
    # The largest vocabulary, its four special tokens included (0: no limit).
    maximum_vocabulary: Natural = 0
    shared_vocabulary: bool = False
    # Training pairs with more tokens than this on either side are left out, and counted.
    maximum_length: Positive = 100
    # Training pairs with fewer tokens than this on either side are left out, and so are those with more than
    # maximum_ratio times as many tokens on one side as on the other (0: whatever the ratio). All are counted.
    minimum_length: Positive = 1
    maximum_ratio: NaturalReal = 0.0
    # Sentences that the built-in corpora draw, and which pairs are held out, follow from this seed.
    seed: Natural = 1
    # From here on: only for `files`. Which columns of a table hold the pairs: a name in its header, or a number from
    # 1. By default a TSV has no header and its first two columns are taken, elsewhere they are "source" and "target".
    source_column: Column = ""
    target_column: Column = ""
    # More texts to train on, each a table [[data.additional]].
    additional: tuple[AdditionalText, ...] = ()
    # What a line does that holds no pair (a NUL, not UTF-8, an empty side, a column too few): stop with an error, or
    # be dropped, counted and listed. Aligned files with different numbers of lines are always an error.
    bad_lines: Literal["error", "drop"] = "error"
    # Pairs with more characters than this on either side are left out, and counted, in every part (0: none is).
    maximum_characters: Natural = 10000
    # All but the first of equal pairs, or of pairs with equal sources, are left out of `train` and `additional`, and
    # counted; white space and normal forms make no difference.
    remove_duplicates: Literal["none", "pairs", "sources"] = "none"
    # Pairs are left out of `train` and `additional`, and counted, if less than script_share of a side's letters
    # belong to these scripts (none: any script will do).
    source_scripts: tuple[Script, ...] = ()
    target_scripts: tuple[Script, ...] = ()
    script_share: Annotated[float, Field(gt=0.0, le=1.0)] = 0.5

    @model_validator(mode="after")
    def _paths_fit_the_corpus(self) -> DataConfig:
        allowed = {"phrasebook": (0,), "numbers": (0,), "spacing": (0, 1), "files": (1, 2)}[self.corpus]
        for part in ("train", "validation", "test"):
            paths = getattr(self, part)
            optional = part != "train" and not paths
            if len(paths) not in allowed and not optional:
                raise ValueError(
                    f"corpus {self.corpus!r} takes {' or '.join(map(str, allowed))} path(s) for {part!r}, "
                    f"got {len(paths)}: {list(paths)}"
                )
        if self.corpus == "spacing" and not self.train and (self.validation or self.test):
            raise ValueError("corpus 'spacing' has validation or test files but no train file: give train = [FILE]")
        if self.language != "english" and (self.corpus in ("phrasebook", "files") or self.train):
            what = "with a train file" if self.corpus == "spacing" else f"with corpus {self.corpus!r}"
            raise ValueError(
                f"language {self.language!r} has no meaning {what}: it is for corpus 'numbers', and for 'spacing' "
                f"without a train file; leave it out"
            )
        if self.shared_vocabulary and self.source_tokenizer != self.target_tokenizer:
            raise ValueError("shared_vocabulary needs the same tokenizer on both sides")
        self._check_subwords()
        if 0 < self.maximum_vocabulary <= 4:
            raise ValueError("maximum_vocabulary counts the four special tokens: give 5 or more, or 0 for no limit")
        return self

    def _check_subwords(self) -> None:
        kinds = {self.source_tokenizer, self.target_tokenizer}
        if "jamo" in kinds and self.normalization == "none":
            raise ValueError(
                "tokenizer 'jamo' needs a normal form, or a Hangul syllable and its letters could not be told apart: "
                "set normalization to 'NFC', 'NFD', 'NFKC' or 'NFKD'"
            )
        if self.subword_sampling and not kinds & {"unigram", "bpe"}:
            raise ValueError(
                f"subword_sampling {self.subword_sampling} needs a tokenizer 'unigram' or 'bpe' on a side, got "
                f"{self.source_tokenizer!r} and {self.target_tokenizer!r}"
            )
        if kinds <= {"unigram", "bpe"} and (self.maximum_vocabulary or self.minimum_frequency > 1):
            raise ValueError("minimum_frequency and maximum_vocabulary do not cut subwords: set subword_size instead")

    @model_validator(mode="after")
    def _filters_fit(self) -> DataConfig:
        if self.minimum_length > self.maximum_length:
            raise ValueError(f"minimum_length {self.minimum_length} is above maximum_length {self.maximum_length}")
        if 0.0 < self.maximum_ratio < 1.0:
            raise ValueError(
                f"maximum_ratio is longer side by shorter side, 1 or more (0: any), got {self.maximum_ratio}"
            )
        if self.source_column and self.source_column == self.target_column:
            raise ValueError(f"source_column and target_column are both {self.source_column!r}: give two columns")
        only_for_files = (
            "source_column", "target_column", "additional", "bad_lines", "remove_duplicates", "source_scripts",
            "target_scripts",
        )  # fmt: skip
        fields = type(self).model_fields
        given = [key for key in only_for_files if getattr(self, key) != fields[key].default]
        if self.corpus != "files" and given:
            raise ValueError(f"{', '.join(given)}: only for corpus = 'files', got corpus = {self.corpus!r}")
        return self
