"""The report as a page: what it says, that it is safe whatever the texts are, and that it stays small."""

import base64
import copy
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest

from diptych.comparison.page import render
from diptych.comparison.report import read_report
from diptych.config import DataConfig, RunConfig
from diptych.errors import RunError
from diptych.pages.report import page

CONFIG = RunConfig(data=DataConfig(maximum_pairs=40, validation_size=5, test_size=8))
HOSTILE = "<img src=x onerror=alert(1)></script><!--<script>alert(2)</script>&amp;\"'`{{7*7}}"


class Page(HTMLParser):
    """Every element of a page with its attributes, the text of each, and which were never closed."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.texts, self.open = [], {}, []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in ("meta", "link", "input", "col", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data):
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(data)

    def find(self, tag, **attributes):
        return [found for name, found in self.elements if name == tag and attributes.items() <= found.items()]


@pytest.fixture(scope="module")
def written(compared):
    return compared(CONFIG, tensorflow=[2], pytorch=[2, 5]).report


@pytest.fixture
def report(written):
    """A report to change: of eight sentences the two translate two differently, and wrong."""
    return copy.deepcopy(written)


def data_of(text):
    """What the page's script reads."""
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)[1])


def test_the_page_says_what_the_report_holds(report):
    text = render(report)
    assert report["signature"] in text
    for words in ("TensorFlow 2.x", "PyTorch 2.y", "1,234", "500 MB", "1,200", "1,260", "75.0 %", "p = "):
        assert words in text, words
    found = Page(text)
    sections = [each["id"] for each in found.find("section")]
    assert sections == [
        "headline", "loss", "parity", "quality", "speed", "attention", "translations", "code", "differences",
        "environment",
    ]  # fmt: skip
    assert [link["href"] for link in found.find("a") if "difference-" not in link["href"]] == [
        f"#{s}" for s in sections
    ]
    rows = [each.get("class", "") for each in found.find("tr")]
    assert rows.count("differ wrong") == 2
    for file in ("attention", "decoder", "encoder", "loss", "model", "recurrent", "stepper", "training"):
        assert f"<code>{file}.py</code>" in text
    assert "class</i> <i class=f>Decoder</i>" in text


def test_nothing_on_the_page_asks_for_anything(report):
    text = render(report)
    found = Page(text)
    addresses = [value for _, each in found.elements for name, value in each.items() if name in ("src", "href", "data")]
    assert all(address.startswith(("#", "data:")) for address in addresses), addresses
    assert set(re.findall(r"url\((.{1,6})", text)) <= {'"data:'}
    assert "@import" not in text
    assert not found.find("style", src=None) or len(found.find("style")) == 1
    assert not [each for _, each in found.elements if any(name.startswith("on") or name == "style" for name in each)]


def test_the_policy_forbids_every_request_and_every_other_script(report):
    text = render(report)
    (policy,) = [each["content"] for each in Page(text).find("meta") if "http-equiv" in each]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules.pop("default-src") == rules.pop("base-uri") == rules.pop("form-action") == "'none'"
    assert rules.pop("font-src") == rules.pop("img-src") == "data:"
    for kind, element in (
        ("script-src", r'<script type="module">(.*?)</script>'),
        ("style-src", r"<style>(.*?)</style>"),
    ):
        digest = hashlib.sha256(re.search(element, text, re.S)[1].encode()).digest()
        assert rules.pop(kind) == f"'sha256-{base64.b64encode(digest).decode()}'"
    assert not rules


def test_a_text_is_text_wherever_it_came_from(report):
    """The same elements, whatever the texts are; what they say can be read back."""
    clean = Page(render(report))
    for each in (*report["translations"], *report["examples"]):
        each["source"] = each["reference"] = HOSTILE
        each["source_tokens"] = [HOSTILE] * len(each["source_tokens"])
        for backend in each["tokens"]:
            each["outputs"][backend] = HOSTILE
            each["tokens"][backend] = [HOSTILE] * len(each["tokens"][backend])
    report["signature"] = report["config"]["data"]["train"] = HOSTILE
    report["config"]["data"] |= {"corpus": "files", "train": [HOSTILE], "test": [HOSTILE]}
    report["environment"]["platform"] = report["environment"]["packages"]["numpy"] = HOSTILE
    report["data"]["dropped"] = {HOSTILE: 1}
    report["parity"]["levels"][0] |= {"name": HOSTILE, "tensor": HOSTILE, "note": HOSTILE}
    report["backends"]["pytorch"]["version"] = HOSTILE
    report["ceilings"] = {"training": {"pytorch": {"value": 2000.0, "what": HOSTILE}}}
    text = render(report)
    found = Page(text)
    assert [tag for tag, _ in found.elements if tag in ("img", "iframe")] == []
    assert len(found.find("script")) == len(clean.find("script")) == 2
    assert text.count("<!--") == 0
    assert "{{7*7}}" in text
    maps = data_of(text)["maps"]
    assert maps[0]["source"][0] == maps[0]["tokens"][1][0] == HOSTILE
    assert "".join(found.texts["h3"]).count(HOSTILE) == len(report["examples"])


def test_weights_come_through_to_four_decimals(report):
    data = data_of(render(report))
    drawn = data["maps"][3]
    weights = report["translations"][3]["attention"]
    for ours, theirs in zip(drawn["weights"], weights.values(), strict=True):
        assert ours == [round(10_000 * weight) for row in theirs for weight in row]
    assert data["names"] == ["TensorFlow", "PyTorch"]
    assert [stop[::2] for stop in data["stops"]] == [[1, 2.0], [2, 1.5], [3, 1.0]]


def test_a_page_never_grows_too_large(report, monkeypatch):
    whole = len(render(report).encode())
    monkeypatch.setattr(page, "LARGEST", whole - 1)
    text = render(report)
    assert len(text.encode()) < whole
    maps = data_of(text)["maps"]
    left_out = [row for row, drawn in enumerate(maps) if drawn is None]
    assert left_out == [7]  # the last of those on which the two agree
    monkeypatch.setattr(page, "LARGEST", 1)
    assert data_of(render(report))["maps"] == [None] * 8


def test_five_hundred_long_sentences_fit_into_three_megabytes(report):
    tokens = [f"word{i}" for i in range(30)]
    rows = [[round(1.0 / 30, 4)] * 30] * 31
    both = ("tensorflow", "pytorch")
    entry = {
        "source": " ".join(tokens),
        "source_tokens": tokens,
        "reference": " ".join(tokens),
        "outputs": dict.fromkeys(both, " ".join(tokens)),
        "tokens": {name: [*tokens, "<eos>"] for name in both},
        "log_probability": dict.fromkeys(both, -1.0),
        "attention": dict.fromkeys(both, rows),
    }
    report["translations"] = [entry] * 500
    text = render(report)
    assert len(text.encode()) < 3_000_000
    assert sum(drawn is not None for drawn in data_of(text)["maps"]) > 200


def test_a_model_without_attention_has_a_page(report):
    for each in (*report["translations"], *report["examples"]):
        each["attention"] = {name: [[0.0] * len(row) for row in rows] for name, rows in each["attention"].items()}
    data = data_of(render(report))
    assert data["maps"] == [None] * 8
    assert data["examples"] == [None] * 3
    for each in report["translations"]:
        each["attention"] = None
    assert data_of(render(report))["maps"] == [None] * 8


def test_a_report_without_the_newer_parts_has_a_page(report):
    del report["quality_by_length"]
    for values in report["backends"].values():
        for key in ("intervals", "p_values", "interval_signatures"):
            del values["quality"][key]
        del values["training"]["speeds"], values["decoding"]["speeds"], values["training"]["validation_losses"]
    text = render(report)
    assert "By length" not in text
    assert "tok:13a" in text


def test_curves_without_a_gap_say_so(report):
    training = report["backends"]["pytorch"]["training"]
    training["losses"] = report["backends"]["tensorflow"]["training"]["losses"]
    report["agreement"] |= {"largest_loss_gap": 0.0, "largest_loss_gap_step": 1}
    text = render(report)
    assert "no gap: every loss is the same number" in text
    assert "at 3 of 3 steps there is none at all" in " ".join(text.split())


def test_a_rung_that_does_not_hold_says_so(report):
    report["parity"]["levels"][0] |= {"holds": False, "note": "why it does not", "tensor": "that.weight"}
    text = render(report)
    assert '<td class="bad">NO</td>' in text
    assert "why it does not" in text
    assert "that.weight" in text
    assert "<b>0 of 1</b>" in text


def test_a_report_of_another_version_is_refused(report):
    with pytest.raises(RunError, match="schema 7, this version of Diptych reads 1: compute it again"):
        render(report | {"schema": 7})


@pytest.mark.parametrize(("text", "message"), [("{", "is no report: "), ("[]", "is no report, got list")])
def test_what_is_no_report_is_refused(tmp_path, text, message):
    path = tmp_path / "report.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RunError, match=message):
        read_report(path)


def test_a_run_that_was_not_compared_says_how_to(tmp_path):
    with pytest.raises(RunError, match=r"has no report\.json: `diptych compare"):
        read_report(tmp_path / "report.json")
