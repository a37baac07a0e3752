"""The configuration of a run: frozen, typed, validated once, read from TOML.

The defaults are those of `diptych compare` without a config: the built-in phrasebook with additive attention.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from diptych.errors import ConfigError

Cell = Literal["gru", "lstm", "rnn"]
Bridge = Literal["zero", "copy", "dense"]
Attention = Literal["none", "additive", "dot", "general", "concat"]
Precision = Literal["float32", "float64", "bfloat16"]
TokenizerKind = Literal["word", "character", "jamo", "unigram", "bpe"]
Normalization = Literal["none", "NFC", "NFD", "NFKC", "NFKD"]
Backend = Literal["tensorflow", "pytorch"]
Script = Literal[
    "Arabic", "Armenian", "Bengali", "Bopomofo", "Cyrillic", "Devanagari", "Ethiopic", "Georgian", "Greek", "Gujarati",
    "Gurmukhi", "Han", "Hangul", "Hebrew", "Hiragana", "Kannada", "Katakana", "Khmer", "Lao", "Latin", "Malayalam",
    "Mongolian", "Myanmar", "Oriya", "Sinhala", "Tamil", "Telugu", "Thai", "Tibetan",
]  # fmt: skip
Tongue = Literal["english", "korean"]
Schedule = Literal["constant", "linear", "cosine", "inverse_square_root", "exponential", "one_cycle", "plateau"]
StopMetric = Literal["loss", "bleu", "chrf", "exact_match"]

Positive = Annotated[int, Field(gt=0)]
Natural = Annotated[int, Field(ge=0)]
Fraction = Annotated[float, Field(ge=0.0, lt=1.0, allow_inf_nan=False)]
PositiveReal = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
NaturalReal = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
# A column's name, or its number from 1.
Column = Annotated[str, BeforeValidator(lambda value: str(value) if type(value) is int else value)]


class Section(BaseModel):
    """What all sections share: they cannot be changed once made, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, validate_default=True)


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


class ModelConfig(Section):
    """The shape of the model; see docs/equations.md for what each choice computes."""

    cell: Cell = "gru"
    embedding_size: Positive = 96
    encoder_size: Positive = 96
    encoder_layers: Positive = 1
    bidirectional: bool = True
    decoder_size: Positive = 192
    decoder_layers: Positive = 1
    bridge: Bridge = "dense"
    attention: Attention = "additive"
    # Size of the additive and concat scores' hidden layer; None: the decoder's size.
    attention_size: Positive | None = None
    attentional_layer: bool = True
    # Size of the attentional layer's output; None: the embedding's size if tied to it, else the decoder's size.
    attentional_size: Positive | None = None
    input_feeding: bool = False
    dropout: Fraction = 0.05
    # One dropout mask for all positions of a sentence instead of one for each (Gal and Ghahramani, 2016, without the
    # masks inside the recurrence).
    variational_dropout: bool = False
    tie_target_output: bool = False
    tie_source_target: bool = False

    @model_validator(mode="after")
    def _sizes_fit(self) -> ModelConfig:
        if self.attention == "none" and self.input_feeding:
            raise ValueError("input_feeding needs an attention: set attention, or input_feeding = false")
        if self.attention == "dot" and self.memory_size != self.decoder_size:
            raise ValueError(
                f"attention 'dot' multiplies the decoder's state with the encoder's outputs, so decoder_size must be "
                f"{self.memory_size} (encoder_size{' times two directions' if self.bidirectional else ''}), "
                f"got {self.decoder_size}; or use attention 'general'"
            )
        if self.bridge == "copy" and self.memory_size != self.decoder_size:
            raise ValueError(
                f"bridge 'copy' needs decoder_size {self.memory_size} (encoder_size"
                f"{' times two directions' if self.bidirectional else ''}), got {self.decoder_size}; "
                f"or use bridge 'dense'"
            )
        if self.bridge == "copy" and self.encoder_layers != self.decoder_layers:
            raise ValueError(
                f"bridge 'copy' needs as many encoder as decoder layers, got {self.encoder_layers} and "
                f"{self.decoder_layers}; or use bridge 'dense'"
            )
        if self.tie_target_output and self.feature_size != self.embedding_size:
            raise ValueError(
                f"tie_target_output needs an output layer that sees embedding_size = {self.embedding_size} numbers, "
                f"but it sees {self.feature_size}; use attentional_layer = true, or equal sizes"
            )
        return self

    @property
    def directions(self) -> int:
        """2 for a bidirectional encoder, else 1."""
        return 2 if self.bidirectional else 1

    @property
    def memory_size(self) -> int:
        """M: the encoder's output size, both directions together."""
        return self.encoder_size * self.directions

    @property
    def score_size(self) -> int:
        """A: the hidden size of the additive and concat scores."""
        return self.attention_size or self.decoder_size

    @property
    def context_size(self) -> int:
        """Size of the context the output layer sees: M, or 0 without attention."""
        return self.memory_size if self.attention != "none" else 0

    @property
    def feature_size(self) -> int:
        """F: what the output layer sees, and what input feeding feeds."""
        if self.attentional_layer:
            default = self.embedding_size if self.tie_target_output else self.decoder_size
            return self.attentional_size or default
        return self.context_size + self.decoder_size

    @property
    def decoder_input_size(self) -> int:
        """What the decoder's first layer sees: embedding, then context if additive, then what is fed."""
        context = self.memory_size if self.attention == "additive" else 0
        return self.embedding_size + context + (self.feature_size if self.input_feeding else 0)


class TrainingConfig(Section):
    """How the model is trained."""

    epochs: Positive = 4
    # Stop after so many optimizer steps, whatever the epoch (0: no limit).
    maximum_steps: Natural = 0
    # What batch_size counts: sentences, or target tokens, eos and padding included (rows times the longest target).
    batch_by: Literal["sentences", "tokens"] = "sentences"
    batch_size: Positive = 64
    optimizer: Literal["adam", "adamw", "sgd"] = "adam"
    learning_rate: PositiveReal = 0.004
    # How the learning rate goes on after warmup_steps of linear rise, see diptych/training/learning_rate.py.
    schedule: Schedule = "cosine"
    warmup_steps: Natural = 0
    # After the warm-up the rate is at least this.
    minimum_learning_rate: NaturalReal = 0.0
    # exponential: what is left of the rate after each step.
    decay_rate: Annotated[float, Field(gt=0.0, le=1.0)] = 0.9998
    # one_cycle: the share of the steps in which the rate rises, and then of those in which it falls back.
    rise_share: Annotated[float, Field(gt=0.0, le=0.5)] = 0.45
    # plateau: by what the rate is multiplied after each so many validations in a row that were no better.
    plateau_factor: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.5
    plateau_patience: Positive = 2
    beta1: Fraction = 0.9
    beta2: Fraction = 0.999
    epsilon: PositiveReal = 1e-8
    momentum: Fraction = 0.0
    # L2 for adam and sgd, decoupled for adamw (as in torch.optim).
    weight_decay: NaturalReal = 0.0
    # Gradients are scaled by min(1, clip_norm / global norm); 0: never.
    clip_norm: NaturalReal = 1.0
    label_smoothing: Fraction = 0.0
    # So many batches' gradients are added up, per target token, before each optimizer step.
    accumulate: Positive = 1
    # The share of target positions that read the reference's token; the others read what the model itself takes to
    # be the most probable one (scheduled sampling). It is constant, or falls from 1 to this at the end.
    teacher_forcing: Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)] = 1.0
    teacher_forcing_decay: Literal["none", "linear", "inverse_sigmoid"] = "none"
    # Validate with, and keep, the exponential moving average of the weights: decay a step, for instance 0.999 (0: the
    # weights themselves).
    ema_decay: Fraction = 0.0
    precision: Precision = "float32"
    # Initial values, batch order and dropout masks follow from this seed.
    seed: Natural = 1
    # Validate and write a checkpoint every so many steps (0: at the end of each epoch).
    validate_every: Natural = 0
    # What tells whether a validation is better: its loss (lower), or a score of greedy translations (higher).
    stop_metric: StopMetric = "loss"
    # How many of the validation sentences, from the first, are translated and scored at each validation (0: all).
    # None: 500 if stop_metric is a score, else not any.
    validation_sentences: Natural | None = None
    # Stop after so many validations without a better one (0: never).
    patience: Natural = 0
    # A loss or gradient that is NaN or infinite: stop training, or skip the step and count it.
    non_finite: Literal["stop", "skip"] = "stop"
    # How many of the newest checkpoints are kept, and how many of the best. The mean of the ones or the others'
    # weights is what `--checkpoint average-latest` and `average-best` translate with.
    keep_checkpoints: Positive = 2
    keep_best: Positive = 1

    @model_validator(mode="after")
    def _rates_and_patience_fit(self) -> TrainingConfig:
        if self.minimum_learning_rate > self.learning_rate:
            raise ValueError(
                f"minimum_learning_rate {self.minimum_learning_rate} is above learning_rate {self.learning_rate}: "
                f"lower it, or raise learning_rate"
            )
        if self.schedule == "plateau" and 0 < self.patience <= self.plateau_patience:
            raise ValueError(
                f"patience {self.patience} stops training before plateau_patience {self.plateau_patience} can lower "
                f"the learning rate: give a patience of more than {self.plateau_patience}, or 0"
            )
        return self

    @property
    def scores_translations(self) -> bool:
        """Whether validation sentences are translated and scored at each validation."""
        return self.validation_sentences is not None or self.stop_metric != "loss"


class SearchConfig(Section):
    """How a translation is searched for."""

    # 0: greedy. Above 0: sampling from softmax(logits / temperature).
    temperature: NaturalReal = 0.0
    seed: Natural = 1
    # Sampling draws from the so many most probable tokens alone (0: from all), and from the fewest most probable ones
    # that have so much probability together (1.0: from all; Holtzman et al., 2020).
    top_k: Natural = 0
    top_p: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0
    # At most so many tokens, the end counted; 0: 2 times the source's tokens plus 10, or up to 16 times where the
    # target's tokens are smaller parts of words than the source's; and at least 11 more than minimum_length or than a
    # forced prefix.
    maximum_length: Natural = 0
    # At least so many tokens before a translation may end.
    minimum_length: Natural = 0
    # No so many tokens in a row come twice in a translation (0: they may).
    no_repeat_ngram: Natural = 0
    # Never say <unk>, but the next likeliest token.
    forbid_unknown: bool = False
    batch_size: Positive = 64
    # How many prefixes of each sentence are kept side by side (1: greedy or sampling), and how many of the
    # translations found are given.
    beam_size: Positive = 1
    n_best: Positive = 1
    # A beam ranks by log-probability / ((5 + tokens) / 6) ** length_penalty; 0: by log-probability alone.
    length_penalty: Annotated[float, Field(ge=0.0, le=10.0)] = 0.6
    # And adds coverage_penalty times the sum, over the source's tokens, of log(min(attention it got in all, 1)) (Wu et
    # al., 2016, equation 14): what was hardly looked at was perhaps not translated.
    coverage_penalty: Annotated[float, Field(ge=0.0, le=10.0)] = 0.0

    @model_validator(mode="after")
    def _choices_fit(self) -> SearchConfig:
        if self.beam_size > 1 and self.temperature > 0.0:
            raise ValueError(
                f"beam_size {self.beam_size} and temperature {self.temperature} exclude each other: "
                f"set beam_size = 1 to sample, or temperature = 0.0 for a beam"
            )
        if self.n_best > self.beam_size:
            raise ValueError(f"n_best {self.n_best} needs a beam_size of at least as much, got {self.beam_size}")
        if self.temperature == 0.0 and (self.top_k > 0 or self.top_p < 1.0):
            raise ValueError(
                f"top_k {self.top_k} and top_p {self.top_p} say what sampling draws from, but temperature 0.0 asks for "
                f"none: set temperature above 0, or top_k = 0 and top_p = 1.0"
            )
        if self.beam_size == 1 and self.coverage_penalty > 0.0:
            raise ValueError(
                f"coverage_penalty {self.coverage_penalty} ranks the hypotheses of a beam, but beam_size 1 asks for "
                f"none: set beam_size above 1, or coverage_penalty = 0.0"
            )
        if 0 < self.maximum_length <= self.minimum_length:
            raise ValueError(
                f"minimum_length {self.minimum_length} needs a maximum_length, the end counted, of at least "
                f"{self.minimum_length + 1}, got {self.maximum_length}: raise it, or set maximum_length = 0"
            )
        return self


class RunConfig(Section):
    """One run: data, model, training and search together."""

    name: str = Field(default="phrasebook", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    data: DataConfig = DataConfig()
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()
    search: SearchConfig = SearchConfig()

    @model_validator(mode="after")
    def _sections_fit(self) -> RunConfig:
        if self.model.tie_source_target and not self.data.shared_vocabulary:
            raise ValueError("model.tie_source_target needs data.shared_vocabulary = true")
        if self.search.coverage_penalty > 0.0 and self.model.attention == "none":
            raise ValueError(
                f"search.coverage_penalty {self.search.coverage_penalty} needs an attention, got model.attention "
                f"'none': set search.coverage_penalty = 0.0, or train with an attention"
            )
        return self

    def hash(self) -> str:
        """Twelve hexadecimal digits that name this config: the same config, the same digits."""
        return hashlib.sha256(json.dumps(self.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()[:12]

    def to_toml(self) -> str:
        """This config as TOML, every key written out."""
        lines: list[str] = []
        tables: list[str] = []
        for key, value in self.model_dump(mode="json").items():
            if isinstance(value, dict):
                tables += ["", f"[{key}]"] + [f"{k} = {_toml(v)}" for k, v in value.items() if v is not None]
            else:
                lines.append(f"{key} = {_toml(value)}")
        return "\n".join(lines + tables) + "\n"


def _toml(value: Any) -> str:
    """A TOML value; JSON's strings, numbers and booleans are TOML's too."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def read_config(path: str | Path) -> RunConfig:
    """Read and validate a TOML config; its data paths become absolute.

    Raises:
        ConfigError: the file is missing, is not TOML, or holds an unknown key or an impossible value.
    """
    path = Path(path)
    try:
        text = path.read_bytes().decode("utf-8")
        values = tomllib.loads(text)
    except FileNotFoundError:
        raise ConfigError(f"no config at {path}: give the path of a TOML file, for instance configs/phrasebook.toml")
    except (IsADirectoryError, PermissionError) as error:
        raise ConfigError(f"cannot read the config {path}: {error.strerror}; give the path of a TOML file") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 (byte {error.start}); save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from error
    data = values.get("data")
    if isinstance(data, dict):
        for part in ("train", "validation", "test"):
            if isinstance(data.get(part), list):
                data[part] = [str(path.parent / p) if isinstance(p, str) else p for p in data[part]]
        for text in data["additional"] if isinstance(data.get("additional"), list) else ():
            if isinstance(text, dict) and isinstance(text.get("paths"), list):
                text["paths"] = [str(path.parent / p) if isinstance(p, str) else p for p in text["paths"]]
    return parse_config(values, origin=str(path))


def parse_config(values: dict[str, Any], origin: str = "config") -> RunConfig:
    """Validate a nested dictionary as a `RunConfig`; `origin` names it in the error.

    Raises:
        ConfigError: an unknown key (the choices are listed) or a value that does not fit.
    """
    try:
        # Through JSON, so that lists become tuples while numbers and booleans stay strict.
        return RunConfig.model_validate_json(json.dumps(values))
    except TypeError as error:
        raise ConfigError(f"{origin}: a config holds strings, numbers, booleans and lists only ({error})") from error
    except ValidationError as error:
        problems = [_explain(problem) for problem in error.errors()]
        raise ConfigError(f"{origin}: " + "; ".join(problems)) from None


def _explain(problem: Any) -> str:
    """One validation problem as: where, what was received, what was expected."""
    location = [str(part) for part in problem["loc"]]
    where = ".".join(location)
    if problem["type"] == "extra_forbidden":
        section: type[BaseModel] = RunConfig
        for part in location[:-1]:
            if part == "additional":
                section = AdditionalText
                break
            section = section.model_fields[part].annotation  # type: ignore[assignment]
        choices = ", ".join(section.model_fields)
        table = f" in [{'.'.join(location[:-1])}]" if location[:-1] else ""
        return f"unknown key {location[-1]!r}{table}; choose among: {choices}"
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "value_error":
        return f"[{where}] {message}" if where else message
    return f"{where} = {problem['input']!r}: {message[0].lower()}{message[1:]}"
