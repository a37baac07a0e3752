"""The page as a person sees it, in a real browser without a window."""

import json
import subprocess
import time
from pathlib import Path

import pytest

from diptych.config import DataConfig, ModelConfig, RunConfig, TrainingConfig

pytest.importorskip("selenium", reason="selenium is not installed: pip install -e '.[dev]'")

from selenium import webdriver
from selenium.common.exceptions import NoAlertPresentException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

ATTACK = "<img src=x onerror=alert(1)>"
# One word, so that it is one token of a vocabulary: a slash separates attributes as well as a space.
WORD = "<img/src=x/onerror=alert(1)>"


@pytest.fixture(scope="module")
def served(both_frameworks, make_run, serving, tmp_path_factory):
    """A server of both frameworks with a model that says WORD five times and then mostly eos."""
    folder = tmp_path_factory.mktemp("attack")
    lines = [f"I feel hungry {number}\t나는 배고파요 {WORD}" for number in range(20)]
    lines += [f"{WORD} {number}\t{number}" for number in range(20)]
    (folder / "pairs.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    data = DataConfig(corpus="files", train=(str(folder / "pairs.tsv"),), validation_size=2, test_size=2)
    model = ModelConfig(embedding_size=8, encoder_size=8, decoder_size=12)
    config = RunConfig(name="attack", data=data, model=model, training=TrainingConfig(precision="float64"))
    run = make_run(folder / "first", config)
    word = run.target_vocabulary.encode([WORD])[0]
    run = make_run(folder / "run", config, biases={word: 4.0, run.target_vocabulary.encode(["배고파요"])[0]: 3.5})
    with serving(run.folder, "--threads", 1) as server:
        yield server


@pytest.fixture(scope="module")
def url(served):
    return served[1]


@pytest.fixture
def open_page(url, start_chromium):
    """Opens the page in a new browser, wide or narrow, light or dark."""
    opened = []

    def start(width=1280, height=900, dark=False):
        browser = start_chromium()
        opened.append(browser)
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        colours = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [colours]})
        browser.get(url)
        wait(browser, lambda: browser.find_elements(By.CSS_SELECTOR, ".panel"))
        return browser

    yield start
    for browser in opened:
        browser.quit()


def wait(browser, true):
    WebDriverWait(browser, 30, poll_frequency=0.05).until(lambda _: true())


def all_of(browser, selector):
    return browser.find_elements(By.CSS_SELECTOR, selector)


def texts(browser, selector):
    return [element.text for element in all_of(browser, selector)]


def translate(browser, sentence):
    field = browser.find_element(By.ID, "sentence")
    field.clear()
    field.send_keys(sentence)
    answered(browser, lambda: field.send_keys(Keys.ENTER))


def answered(browser, action):
    """Do what makes the page ask the server, and wait for the answer: its panels are drawn anew."""
    old = all_of(browser, ".panel h2")
    action()
    wait(browser, lambda: not all_of(browser, "#panels.waiting") and all_of(browser, ".panel h2") != old)


def move(browser, slider, key, times=1):
    element = browser.find_element(By.ID, slider)
    for _ in range(times):
        answered(browser, lambda: element.send_keys(key))


def test_both_translations_appear_with_two_maps(open_page, url):
    browser = open_page()
    assert browser.title == "Diptych: attack"
    translate(browser, "I feel hungry")
    assert [text.split("\n")[0] for text in texts(browser, ".panel h2")] == ["TensorFlow", "PyTorch"]
    assert all(text.endswith(" ms") for text in texts(browser, ".panel h2 .time"))
    one, other = texts(browser, ".said")
    assert one == other != ""
    assert "Both say the same, token for token." in browser.find_element(By.ID, "verdict").text
    maps = all_of(browser, "svg.attention")
    assert len(maps) == 2
    for figure in maps:
        words = [word.text for word in figure.find_elements(By.CSS_SELECTOR, ".word text")]
        assert words[:3] == ["I", "feel", "hungry"]
        cells = figure.find_elements(By.CSS_SELECTOR, "rect.cell")
        assert len(cells) == 3 * (len(words) - 3)
        weights = [float(cell.get_attribute("fill-opacity")) for cell in cells]
        assert sum(weights) == pytest.approx(len(words) - 3, abs=0.1)
    assert browser.get_log("browser") == []
    assert requested(browser, url)


def requested(browser, url):
    """What the page has asked for; nothing of it is anywhere else."""
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    sent = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    assert [address for address in sent if not address.startswith((url, "chrome:", "chrome-untrusted:", "data:"))] == []
    return [address for address in sent if address.startswith(url)]


@pytest.mark.parametrize("sentence", [ATTACK, WORD, f"I {WORD} </script><script>alert(2)</script>"])
def test_markup_is_text_wherever_it_comes_from(open_page, sentence):
    browser = open_page()
    translate(browser, sentence)
    move(browser, "beam_size", Keys.ARROW_RIGHT, 2)
    said = texts(browser, ".said")
    assert all(WORD in text for text in said)
    assert any(WORD in text for text in texts(browser, ".alternatives td"))
    drawn = [text.get_attribute("textContent") for text in all_of(browser, ".attention .word text")]
    assert any("<img" in text for text in drawn)
    browser.find_element(By.CSS_SELECTOR, "input[value=lines]").send_keys(Keys.SPACE)
    assert len(all_of(browser, "img")) == 1  # the page's own icon
    assert len(all_of(browser, "script")) == 1
    with pytest.raises(NoAlertPresentException):
        _ = browser.switch_to.alert
    assert browser.get_log("browser") == []


def test_a_word_that_is_pointed_at_lights_up(open_page):
    browser = open_page()
    translate(browser, "I feel hungry")
    left, right = all_of(browser, "svg.attention")
    word = left.find_elements(By.CSS_SELECTOR, ".word")[4]  # the second that is said
    webdriver.ActionChains(browser).move_to_element(word).perform()
    for figure in (left, right):  # the same word in the other map, too
        dim = ["dim" in cell.get_attribute("class") for cell in figure.find_elements(By.CSS_SELECTOR, ".cell")]
        assert dim[3:6] == [False] * 3
        assert all(dim[:3] + dim[6:])
        numbers = figure.find_elements(By.CSS_SELECTOR, ".number")
        assert sum(int(number.get_attribute("textContent")) for number in numbers) == pytest.approx(100, abs=2)
    assert len(all_of(browser, ".said .token.lit")) == 2
    # A finger leaves as soon as it has pointed: what it points at stays lit.
    browser.execute_script("arguments[0].dispatchEvent(new PointerEvent('pointerleave', {pointerType: 'touch'}))", left)
    assert all_of(browser, ".attention .dim") != []
    webdriver.ActionChains(browser).move_to_element(browser.find_element(By.TAG_NAME, "h1")).perform()
    assert all_of(browser, ".attention .dim") == []


def test_the_attention_can_be_seen_as_lines(open_page):
    browser = open_page()
    translate(browser, "I feel hungry")
    browser.find_element(By.CSS_SELECTOR, "input[value=lines]").send_keys(Keys.SPACE)
    assert len(all_of(browser, "svg.attention")) == 2
    assert all_of(browser, ".attention .cell") == []
    lines = all_of(browser, ".attention .line")
    assert lines
    all_of(browser, ".attention .word")[0].click()
    assert any("dim" in line.get_attribute("class") for line in lines)
    assert texts(browser, ".attention .number")


def test_beam_temperature_and_length(open_page):
    browser = open_page()
    translate(browser, "I feel hungry")
    assert all_of(browser, ".alternatives") == []
    move(browser, "beam_size", Keys.ARROW_RIGHT, 3)
    assert browser.find_element(By.ID, "beam_size_value").text == "4"
    rows = all_of(browser, ".panel.pytorch .alternatives tr")
    assert len(rows) == 4
    scores = [float(row.text.split()[-1].replace("−", "-")) for row in rows]
    assert scores == sorted(scores, reverse=True)

    assert not browser.find_element(By.ID, "seed").is_enabled()
    move(browser, "temperature", Keys.ARROW_RIGHT)
    assert browser.find_element(By.ID, "beam_size_value").text == "1"
    assert browser.find_element(By.ID, "seed").is_enabled()
    assert all("sampled" in text for text in texts(browser, ".panel .small"))
    move(browser, "beam_size", Keys.ARROW_RIGHT)
    assert browser.find_element(By.ID, "temperature_value").text == "0"

    move(browser, "maximum_length", Keys.ARROW_RIGHT, 2)
    assert all(len(text.split()) == 2 for text in texts(browser, ".said"))
    assert all("cut off" in text for text in texts(browser, ".panel .small"))


def test_everything_is_reachable_by_keyboard(open_page):
    browser = open_page()
    browser.find_element(By.ID, "sentence").send_keys("I feel hungry")
    answered(browser, lambda: browser.switch_to.active_element.send_keys(Keys.TAB, Keys.ENTER))
    reached = set()
    for _ in range(20):
        active = browser.switch_to.active_element
        names = (active.get_dom_attribute(key) for key in ("id", "name", "class"))
        reached.add(next(filter(None, names), "").split(" ")[0])
        active.send_keys(Keys.TAB)
    assert {"translate", "beam_size", "temperature", "maximum_length", "view", "word"} <= reached

    browser.execute_script("document.querySelector('.word[tabindex=\"0\"]').focus()")
    label = browser.switch_to.active_element.get_attribute("aria-label")
    assert " looks at " in label and "percent" in label
    browser.switch_to.active_element.send_keys(Keys.ARROW_DOWN)
    assert browser.switch_to.active_element == all_of(browser, ".word")[4]
    assert len(all_of(browser, ".said .token.lit")) == 2
    browser.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
    assert browser.switch_to.active_element == all_of(browser, ".word")[0]
    browser.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert all_of(browser, ".attention .dim") == []


def test_unknown_words_are_named(open_page):
    browser = open_page()
    translate(browser, "I feel flabbergasted")
    assert "does not know “flabbergasted”" in browser.find_element(By.ID, "verdict").text
    assert [word.text for word in all_of(browser, ".word.unknown text")] == ["flabbergasted"] * 2


@pytest.mark.parametrize("width", [320, 390, 768])
def test_a_narrow_page_does_not_scroll_sideways(open_page, width):
    browser = open_page(width=width, height=800)
    translate(browser, "I feel hungry")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    places = [panel.location for panel in all_of(browser, ".panel")]
    assert (places[0]["x"] == places[1]["x"]) is (width < 700)


@pytest.mark.parametrize("dark", [True, False])
def test_dark_and_light(open_page, dark):
    browser = open_page(dark=dark)
    colour = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    brightness = sum(int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(","))
    assert brightness < 150 if dark else brightness > 600


def test_the_death_of_one_framework_is_said_and_the_other_translates(open_page, served):
    browser = open_page()
    process, _ = served
    for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="utf-8").split():
        if b'"tensorflow"' in Path(f"/proc/{pid}/cmdline").read_bytes():
            subprocess.run(["kill", "-KILL", pid], check=True)
    translate(browser, "I feel hungry")
    [message] = texts(browser, ".panel.tensorflow .trouble")
    assert "TensorFlow does not answer: the tensorflow process was killed" in message
    assert len(texts(browser, ".panel.pytorch .said")) == 1
    assert browser.find_element(By.ID, "verdict").text == "Only one framework answers."
    end = time.monotonic() + 120
    while not all_of(browser, ".panel.tensorflow .said"):
        assert time.monotonic() < end
        time.sleep(0.5)
        translate(browser, "I feel hungry")
