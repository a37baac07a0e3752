"""The painting in JavaScript is the reference: numbers to 1e-12, searches, tokens and random numbers, run by node."""

import hashlib
import json
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from diptych import javascript
from diptych.data.tokens.language import Language
from diptych.data.tokens.tokenizers import make_tokenizer
from diptych.data.tokens.vocabulary import Vocabulary
from diptych.errors import CertificateError
from diptych.export.certificate import demand
from diptych.export.html import exporting
from diptych.javascript import node
from diptych.javascript.packed import pack
from diptych.randomness import generator

from .conftest import KINDS

HERE = Path(javascript.__file__).parent
LINES = [
    "I feel  hungry", "", " \t", "배가 고파요", "Straße ÇA va İstanbul", "don't\u00a0stop\u2028now", "한국어 a\u0301b",
    "aaaaabab bab", "x" * 600, "\U0001f600 ok", "\ufeffodd", "ΟΔΥΣΣΕΥΣ",
]  # fmt: skip
PIECES = [" ", "a", "b", " a", "ab", "aba", " ab", "bab", " don", "'t", "ok", "배", "가"]


@pytest.fixture
def javascript_says():
    """Runs a program that may import the painting's modules: the JSON that it prints."""
    if not node.is_installed():
        pytest.skip("there is no node here; Debian and Ubuntu: apt-get install nodejs")

    def run(program, given=None):
        text = program.replace("HERE", HERE.as_uri())
        text = f"const given = {json.dumps(given)};\n{text}"
        finished = subprocess.run(
            ["node", "--input-type=module"], input=text, capture_output=True, encoding="utf-8", timeout=120
        )
        assert finished.returncode == 0, finished.stderr
        return json.loads(finished.stdout)

    return run


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_model_is_the_reference_to_1e_12(kind, trained):
    if not node.is_installed():
        pytest.skip("there is no node here")
    checks = exporting.certify(trained(kind), "float32")
    demand(checks)
    assert [check.limit for check in checks] == [1e-12, 0.0, 0.0, 0.0, 1e-4]


def test_a_fault_in_the_weights_is_not_certified(trained, monkeypatch):
    if not node.is_installed():
        pytest.skip("there is no node here")

    def swapped(parameters, kind):
        name = "decoder.layers.0.weight_hh"
        return pack({**parameters, name: np.roll(parameters[name], 5, axis=0)}, kind)

    monkeypatch.setattr(node, "pack", swapped)
    with pytest.raises(CertificateError, match="JavaScript .* weights in float64"):
        demand(exporting.certify(trained(), "float32"))


def test_random_numbers_are_numpys(javascript_says):
    program = """
        import { generator, sha256 } from "HERE/randomness.mjs";
        const random = generator(...given);
        const draws = Array.from({ length: 3000 }, () => random.exponential());
        console.log(JSON.stringify([draws, Array.from(sha256(new TextEncoder().encode("abc".repeat(50))))]));
    """
    draws, digest = javascript_says(program, [3, "sampling", 12, 4])
    np.testing.assert_allclose(draws, generator(3, "sampling", 12, 4).standard_exponential(3000), rtol=1e-12)
    assert bytes(digest) == hashlib.sha256(b"abc" * 50).digest()


@pytest.mark.parametrize(("lowercase", "reverse"), [(False, False), (True, True)])
@pytest.mark.parametrize("kind", ["word", "character", "jamo", "unigram", "bpe"])
def test_tokens_are_those_of_the_tokenizers(kind, lowercase, reverse, javascript_says):
    tokenizer = replace(make_tokenizer(kind, lowercase, "NFC"), reverse=reverse)
    scores = tuple(-1.0 - place / 3 for place in range(len(PIECES)))
    if kind in ("unigram", "bpe"):
        tokenizer = replace(tokenizer, pieces=tuple(PIECES), scores=scores)
        entries = tuple(PIECES)
    else:
        entries = tuple(dict.fromkeys(token for line in LINES for token in tokenizer.tokenize(line)))[::2]
    language = Language(tokenizer, Vocabulary(entries))
    program = """
        import { Language } from "HERE/tokens.mjs";
        const language = new Language(given.language);
        console.log(JSON.stringify(given.lines.map((line) => {
          const tokens = language.tokenize(line);
          return [tokens, language.encode(tokens), language.detokenize(tokens)];
        })));
    """
    found = javascript_says(program, {"language": language.to_values(), "lines": LINES})
    for line, (tokens, ids, text) in zip(LINES, found, strict=True):
        expected = tokenizer.tokenize(line) if line.strip() else []
        assert tokens == expected, line
        assert ids == language.vocabulary.encode(expected)
        assert text == tokenizer.detokenize(expected).replace("\u2028", " ")
