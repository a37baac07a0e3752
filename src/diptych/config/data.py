"""Where the sentence pairs come from and how they become tokens."""

from __future__ import annotations

import codecs
import re
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from diptych.config.section import LARGEST, Natural, NaturalReal, Positive, Section, Seed, key

TokenizerKind = Literal["word", "word_punctuation", "character", "jamo", "unigram", "bpe"]
Normalization = Literal["none", "NFC", "NFD", "NFKC", "NFKD"]
Script = Literal[
    "Arabic", "Armenian", "Bengali", "Bopomofo", "Cyrillic", "Devanagari", "Ethiopic", "Georgian", "Greek", "Gujarati",
    "Gurmukhi", "Han", "Hangul", "Hebrew", "Hiragana", "Kannada", "Katakana", "Khmer", "Lao", "Latin", "Malayalam",
    "Mongolian", "Myanmar", "Oriya", "Sinhala", "Tamil", "Telugu", "Thai", "Tibetan",
]  # fmt: skip
Tongue = Literal["english", "korean"]
# A column's name, or its number from 1.
Column = Annotated[str, BeforeValidator(lambda value: str(value) if type(value) is int else value)]


Columns = Annotated[
    str | tuple[str, ...],
    BeforeValidator(
        lambda value: tuple(map(str, value)) if isinstance(value, list | tuple) else
        str(value) if type(value) is int else value
    ),
]  # fmt: skip
"""One of these, or several that are joined."""


class AdditionalText(Section):
    """More training pairs beside those of `train`."""

    paths: Annotated[tuple[str, ...], Field(min_length=1, max_length=2)] = key(
        ..., "One table, or two aligned files; relative paths are relative to the config file.", example=["more.tsv"]
    )
    weight: Annotated[float, Field(gt=0.0, le=100.0)] = key(
        1.0, "How often an epoch sees each pair: 2.0 twice; 0.5 half of them once, drawn by data.seed.", "times"
    )
    source_column: Columns = key("", "Instead of data.source_column.", example="en")
    target_column: Column = key("", "Instead of data.target_column.", example="ko")


class DataConfig(Section):
    """Where the sentence pairs come from and how they become tokens."""

    corpus: Literal["phrasebook", "spacing", "numbers", "names", "files"] = key(
        "phrasebook",
        "Four corpora are made by Diptych: English and Korean sentences, lines without their spaces (of a text of "
        "yours, too), numbers and dates in words, sentences with invented names. files takes pairs of yours.",
    )
    language: Tongue = key(
        "english", "Whose spaces `spacing` takes out of the phrasebook, and in which words `numbers` are said."
    )
    train: tuple[str, ...] = key(
        (),
        "Paths of the training text, relative to the config file. files: two aligned files or one table (.csv, "
        '.jsonl, .parquet, .xlsx, anything else is a TSV; "-", or "-.csv" and so on, is standard input, which the run '
        "keeps). spacing: one text file, or none for the phrasebook's own sentences. Any may be compressed (gzip, "
        "bzip2, xz, zstd).",
        example=["pairs.tsv"],
    )
    validation: tuple[str, ...] = key(
        (),
        "The same for validation. Without, validation_size pairs are taken out of the training text.",
        example=["validation.tsv"],
    )
    test: tuple[str, ...] = key(
        (), "The same for the test. Without, test_size pairs are taken out.", example=["test.tsv"]
    )
    validation_size: Positive = key(500, "How many pairs decide which checkpoint is the best.", "pairs")
    test_size: Positive = key(500, "How many pairs nothing is learnt or decided from: the scores are theirs.", "pairs")
    maximum_pairs: Natural = key(20000, "Train on so many pairs, of files drawn by seed; 0: on all.", "pairs")
    line: Literal["sentence", "word"] = key(
        "sentence",
        "What a line is: a sentence of words, or one word in letters or phones. Of words the error rate (WER) counts "
        "those that are not right as a whole, and that of phones (PER) what is in them.",
    )
    source_tokenizer: TokenizerKind = key(
        "word",
        "What a token of the source is: what stands between spaces, the same parted from punctuation marks, a "
        "character, a Hangul letter, or a part of a word that sentencepiece finds (unigram, bpe).",
    )
    target_tokenizer: TokenizerKind = key("word", "What a token of the target is.")
    normalization: Normalization = key(
        "NFC",
        "The Unicode normal form of both sides, made before they are lower-cased and split, and of what is said.",
    )
    reverse_target: bool = key(
        False,
        "The model says the target's tokens from the last to the first; texts go in and come out as they are. Its "
        "errors are others than those of a model that says them forwards: let the two vote.",
    )
    lowercase_source: bool = key(False, "Lower-case the source.")
    lowercase_target: bool = key(False, "Lower-case the target, and so what the model says.")
    subword_size: Annotated[int, Field(ge=5, le=LARGEST)] = key(
        8000,
        "The vocabulary of a side with subwords, its four special tokens included. Of a text with more than 4,000,000 "
        "characters in different words sentencepiece sees the common ones.",
        "tokens",
    )
    character_coverage: Annotated[float, Field(ge=0.98, le=1.0)] = key(
        1.0,
        "Which part of the text is made of characters that are subwords themselves; the rarest are unknown. A text "
        "with many rare signs may take 0.9995.",
    )
    subword_sampling: Annotated[float, Field(ge=0.0, le=1.0)] = key(
        0.0,
        "Training divides words into subwords at random, in each epoch anew: for bpe the probability with which a "
        "merge is left out (say 0.1), for unigram the exponent of a division's probability (say 0.2). 0: never. A "
        "sentence divided so may be longer than maximum_length.",
    )
    minimum_frequency: Positive = key(
        1,
        "A token that is rarer in the training text becomes <unk>; subwords are not cut by this or the next.",
        "times",
    )
    maximum_vocabulary: Natural = key(
        0, "The largest vocabulary, its four special tokens included; 0: as large as the text makes it.", "tokens"
    )
    shared_vocabulary: bool = key(
        False, "One vocabulary for both sides: where they share an alphabet, or an embedding."
    )
    maximum_length: Positive = key(
        100, "Training pairs with more tokens than this on either side are left out, and counted.", "tokens"
    )
    minimum_length: Positive = key(
        1, "Training pairs with fewer tokens than this on either side are left out, and counted.", "tokens"
    )
    maximum_ratio: NaturalReal = key(
        0.0,
        "Training pairs with more than so many times as many tokens on one side as on the other are left out, and "
        "counted; 0: whatever the ratio.",
    )
    seed: Seed = key(1, "What the built-in corpora draw, and which pairs are held out, follow from it.")
    source_column: Columns = key(
        "",
        "For files, this and all that follow: which column of a table is the source, a name in its header or a number "
        'from 1; several, ["lemma", "features"], are joined by spaces. "": the first of a TSV, which then has no '
        "header, elsewhere the one named source.",
        example="en",
    )
    target_column: Column = key(
        "", 'Which column is the target. "": the second of a TSV, elsewhere the one named target.', example="ko"
    )
    source_tags: tuple[Column, ...] = key(
        (),
        "Columns whose texts stand in front of the source as one token each, [ko] for instance, whatever the "
        "tokenizer: the language to translate into, or features of a word. To translate, write them before a line, "
        "each with a tab after it.",
        example=["language"],
    )
    delimiter: Annotated[str, Field(max_length=16)] = key(
        "",
        'What stands between the columns of a table that is neither CSV nor JSON; "": a tab. With another one, and no '
        "columns named, the source is what stands before the first, the target all that follows.",
        example=" ",
    )
    comment: Annotated[str, Field(max_length=16)] = key(
        "", 'A line of a table that begins with this is left out; "": none is.', example=";;;"
    )
    encoding: str = key("utf-8", "Of the texts. It is never guessed.", example="cp949")
    source_remove: Annotated[str, Field(max_length=1000)] = key(
        "",
        "What matches this regular expression is taken out of the source, as the number of a second pronunciation.",
        example="\\(\\d+\\)$",
    )
    target_remove: Annotated[str, Field(max_length=1000)] = key(
        "", "The same of the target, as a comment at its end.", example=" #.*$"
    )
    bad_lines: Literal["error", "drop"] = key(
        "error",
        "What a line does that holds no pair (a NUL, not UTF-8, an empty side, a column too few): stop, or be dropped, "
        "counted and listed. Aligned files with different numbers of lines are always an error.",
    )
    maximum_characters: Natural = key(
        10000,
        "Pairs with more characters than this on either side are left out, and counted, in every part; 0: none is.",
        "characters",
    )
    remove_duplicates: Literal["none", "pairs", "sources"] = key(
        "none",
        "All but the first of equal pairs, or of pairs with equal sources, are left out of train and additional, and "
        "counted; white space and normal forms make no difference.",
    )
    source_scripts: tuple[Script, ...] = key(
        (),
        "Pairs are left out of train and additional, and counted, if less than script_share of the source's letters "
        "belong to these scripts; none: any script will do.",
        example=["Latin"],
    )
    target_scripts: tuple[Script, ...] = key((), "The same of the target's letters.", example=["Hangul", "Han"])
    script_share: Annotated[float, Field(gt=0.0, le=1.0)] = key(
        0.5, "Which part of a side's letters must belong to its scripts."
    )
    additional: tuple[AdditionalText, ...] = key(
        (),
        "More texts to train on, each a table [[data.additional]] with paths, weight and columns.",
        example=[{"paths": ["more.tsv"], "weight": 0.5}],
    )

    @model_validator(mode="after")
    def _paths_fit_the_corpus(self) -> DataConfig:
        allowed = {"phrasebook": (0,), "numbers": (0,), "names": (0,), "spacing": (0, 1), "files": (1, 2)}[self.corpus]
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
        if self.language != "english" and (self.corpus in ("phrasebook", "names", "files") or self.train):
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
        if self.subword_sampling and self.reverse_target and self.target_tokenizer in ("unigram", "bpe"):
            raise ValueError(
                f"reverse_target reverses tokens that are divided once, and subword_sampling {self.subword_sampling} "
                f"divides the target anew: leave out one of them"
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
        try:
            codecs.lookup(self.encoding)
        except (LookupError, ValueError):
            raise ValueError(
                f"encoding {self.encoding!r} is unknown; for instance utf-8, cp949, euc-kr, utf-16"
            ) from None
        for name in ("source_remove", "target_remove"):
            try:
                re.compile(getattr(self, name))
            except (re.error, OverflowError, RecursionError) as error:
                raise ValueError(f"{name} {getattr(self, name)!r} is no regular expression: {error}") from error
        if self.source_tags and self.subword_sampling:
            raise ValueError("subword_sampling divides sources anew, tags and all: leave it out, or source_tags")
        if self.source_column and self.source_column == self.target_column:
            raise ValueError(f"source_column and target_column are both {self.source_column!r}: give two columns")
        only_for_files = (
            "source_column", "target_column", "source_tags", "delimiter", "comment", "encoding", "source_remove",
            "target_remove", "additional", "bad_lines", "remove_duplicates", "source_scripts", "target_scripts",
        )  # fmt: skip
        fields = type(self).model_fields
        given = [key for key in only_for_files if getattr(self, key) != fields[key].default]
        if self.corpus != "files" and given:
            raise ValueError(f"{', '.join(given)}: only for corpus = 'files', got corpus = {self.corpus!r}")
        return self
