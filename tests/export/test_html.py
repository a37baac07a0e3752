"""The page that translates by itself: in a browser whose network is cut, what the reference says."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

import diptych
from diptych.cli import main
from diptych.data.tokens.tokenizers import make_tokenizer
from diptych.errors import UsageError
from diptych.export.html.exporting import export_page
from diptych.export.trained import Trained
from diptych.javascript import node

# What a user does to one of the options.
SET = "const field = document.getElementById(id); field.value = value; field.dispatchEvent(new Event('change'));"


@pytest.fixture(scope="module")
def page(run, tmp_path_factory):
    path = tmp_path_factory.mktemp("pages") / "tiny.html"
    export_page(Trained.open(run), path)
    return path


def test_the_page_is_one_file_that_asks_for_nothing(page):
    text = page.read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    assert policy.startswith("default-src &#39;none&#39;;")
    assert "connect-src" not in policy
    assert "unsafe" not in policy
    assert not re.search(r"(?:src|href)\s*=\s*\"(?!data:)", text)
    script = text[text.rindex("<script>") :]
    assert not re.search(r"^\s*(import|export)\b", script, re.MULTILINE)
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])
    assert data["config"]["attention"] == "additive"
    assert ("JavaScript (node" in text) == node.is_installed()
    assert ("not certified: that needs node" in text) != node.is_installed()


@pytest.mark.parametrize(
    ("kind", "tags", "message"), [("word", 1, "no tags"), ("word_punctuation", 0, "'word_punctuation'")]
)
def test_what_a_page_cannot_read_is_refused(kind, tags, message, run, tmp_path):
    tokenizer = replace(make_tokenizer(kind), tags=tags)
    trained = Trained.open(replace(run, source=replace(run.source, tokenizer=tokenizer)))
    with pytest.raises(UsageError, match=message):
        export_page(trained, tmp_path / "new" / "page.html")
    assert not (tmp_path / "new").exists()


def test_int8_is_smaller_and_a_page_is_not_written_over(run, page, tmp_path, capsys):
    small = export_page(Trained.open(run), tmp_path / "small.html", int8=True)
    assert small.size < page.stat().st_size
    for out, message in ((page, "is there already"), (tmp_path / "folder", "no name of a page")):
        assert main(["export", str(run.folder), str(out), "--to", "html"]) == 2
        assert message in capsys.readouterr().err


def test_the_page_that_the_readme_links_translates(start_chromium):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    browser = start_chromium()
    try:
        browser.get((Path(__file__).parents[2] / "docs" / "demo.html").as_uri())
        browser.find_element(By.ID, "sentence").send_keys("I feel hungry", Keys.ENTER)
        assert browser.find_element(By.ID, "said").text == "배가 고파요"
        assert not browser.get_log("browser")
    finally:
        browser.quit()


@pytest.mark.parametrize("width", [320, 390, 1280])
@pytest.mark.parametrize("dark", [True, False])
def test_it_fits_a_phone_in_the_dark_and_in_the_light(width, dark, page, start_chromium):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    browser = start_chromium()
    try:
        metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        colours = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [colours]})
        browser.get(page.as_uri())
        browser.find_element(By.ID, "sentence").send_keys("My friend did not feel thirsty", Keys.ENTER)
        assert browser.find_elements(By.CSS_SELECTOR, "#drawing .cell")
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
        colour = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
        brightness = sum(int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(","))
        assert brightness < 150 if dark else brightness > 600
    finally:
        browser.quit()


def test_in_a_browser_without_a_network(run, page, start_chromium):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    browser = start_chromium()
    try:
        browser.execute_cdp_cmd("Network.enable", {})
        offline = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
        browser.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
        browser.get_log("performance")  # what the browser asks for itself when it starts
        browser.get(page.as_uri())
        (expected,) = diptych.load(run, "reference").translate(["I feel hungry"])
        field = browser.find_element(By.ID, "sentence")
        field.send_keys("I feel hungry", Keys.ENTER)
        assert browser.find_element(By.ID, "said").text == expected.text
        assert f"{expected.log_probability:.4f}".replace("-", "−") in browser.find_element(By.ID, "told").text
        cells = browser.find_elements(By.CSS_SELECTOR, "#drawing .cell")
        assert len(cells) == expected.attention.size

        assert browser.find_element(By.ID, "spoken").get_attribute("textContent") == expected.text

        # By keyboard alone: from the sentence to the first word that is said, to the next one, and away.
        for _ in range(20):
            browser.switch_to.active_element.send_keys(Keys.TAB)
            if browser.switch_to.active_element.tag_name == "g":
                break
        assert "looks at" in browser.switch_to.active_element.get_attribute("aria-label")
        for place in (0, 1):
            shown = browser.find_elements(By.CSS_SELECTOR, "#said .token")
            assert ["lit" in each.get_attribute("class") for each in shown].index(True) == place
            browser.switch_to.active_element.send_keys(Keys.ARROW_DOWN)
        browser.switch_to.active_element.send_keys(Keys.ESCAPE)
        assert not browser.find_elements(By.CSS_SELECTOR, "#said .token.lit")

        (drawn,) = diptych.load(run, "reference").translate(["I feel hungry"], temperature=1.0, seed=4)
        browser.execute_script(
            f"for (const [id, value] of Object.entries({{ kind: 'sampling', temperature: 1, seed: 4 }})) {{ {SET} }}"
        )
        assert browser.find_element(By.ID, "said").text == drawn.text
        best = diptych.load(run, "reference").translate(["I feel hungry"], beam_size=5, n_best=5)[0]
        browser.execute_script(f"const [id, value] = ['kind', 'beam']; {SET}")
        rows = browser.find_elements(By.CSS_SELECTOR, "#others tbody tr")
        assert [row.find_elements(By.TAG_NAME, "td")[0].text for row in rows] == [
            each.text for each in best.alternatives
        ]
        assert not browser.get_log("browser")
        asked = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
        sent = [each["params"]["request"]["url"] for each in asked if each["method"] == "Network.requestWillBeSent"]
        assert {url for url in sent if not url.startswith("data:")} == {page.as_uri()}
    finally:
        browser.quit()
