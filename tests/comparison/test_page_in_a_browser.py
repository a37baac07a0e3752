"""The report as a person sees it, in Chromium: no request, sorting, filtering, maps by keyboard, hostile texts."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from diptych.config import DataConfig, RunConfig

# In a corpus, and so in a vocabulary; the second is one word.
HOSTILE = "<img src=x onerror=alert(1)>"
WORD = "<img/src=x/onerror=alert(2)>"
SENTENCES = ["red apples", "two green pears", "three small yellow plums", "four old blue bicycles of mine"]


def rows_of(count):
    return [[f"{SENTENCES[i % 4]} {i}", f"빨간 사과 {i % 4} 그리고 {i}"] for i in range(count)]


@pytest.fixture(scope="session")
def folder(compared, tmp_path_factory):
    """A run whose corpus wants to run a script; of twelve test sentences two are translated differently."""
    files = tmp_path_factory.mktemp("corpus")
    train = [[HOSTILE, f"{WORD} 사과"], *rows_of(30)]
    test = [[f"{HOSTILE} {WORD}", f"{WORD} 배고파요 {HOSTILE}"], *rows_of(11)]
    for name, rows in (("train", train), ("test", test)):
        (files / f"{name}.tsv").write_text("".join(f"{one}\t{other}\n" for one, other in rows), encoding="utf-8")
    paths = {name: (str(files / f"{name}.tsv"),) for name in ("train", "test")}
    data = DataConfig(corpus="files", validation_size=2, **paths)
    return compared(RunConfig(name="hostile", data=data), tensorflow=[3], pytorch=[3, 7]).folder


@pytest.fixture
def page(chromium, folder):
    """The report, freshly opened from disk; what was logged before is forgotten."""
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    chromium.get("about:blank")
    for kind in ("performance", "browser"):
        chromium.get_log(kind)
    chromium.get((folder / "report.html").as_uri())
    return Page(chromium)


class Page:
    """A page that is open: what is on it, and keys to press."""

    def __init__(self, driver):
        self.driver = driver

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def all(self, selector):
        return self.driver.find_elements("css selector", selector)

    def one(self, selector):
        return self.driver.find_element("css selector", selector)

    def click(self, element):
        """Click where it can be seen, not behind the table's header."""
        self.run("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def press(self, *keys):
        from selenium.webdriver import ActionChains
        from selenium.webdriver.common.keys import Keys

        for key in keys:
            ActionChains(self.driver).send_keys(getattr(Keys, key, key)).perform()

    def column(self, number):
        """The texts of a column, in the order in which they are shown."""
        return self.run(
            "return Array.from(document.querySelectorAll('#sentences tbody tr:not([hidden], .drawn)'),"
            " row => row.cells[arguments[0]].textContent)",
            number,
        )


def test_it_opens_from_disk_without_a_single_request(page, folder):
    page.run("for (const each of document.querySelectorAll('details')) each.open = true")
    page.click(page.one("#sentences tbody button"))
    page.run("return document.fonts.ready")
    events = [json.loads(line["message"])["message"] for line in page.driver.get_log("performance")]
    asked = {each["params"]["request"]["url"] for each in events if each["method"] == "Network.requestWillBeSent"}
    assert {address for address in asked if not address.startswith("data:")} == {(folder / "report.html").as_uri()}
    assert page.driver.get_log("browser") == []  # no error, and nothing that the policy had to forbid
    assert page.run("return document.fonts.size") == 1  # Hangul, from inside the page
    assert page.run("return [...document.fonts][0].status") == "loaded"


def test_the_policy_keeps_even_a_planted_script_from_asking(page):
    asked = []

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments):
            pass

    with HTTPServer(("127.0.0.1", 0), Listener) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        page.driver.set_script_timeout(30)
        outcome = page.driver.execute_async_script(
            "const done = arguments[1];"
            "new Image().src = arguments[0] + '/image';"
            "document.head.append(Object.assign(document.createElement('script'), {src: arguments[0] + '/script'}));"
            "document.head.append(Object.assign(document.createElement('script'), {textContent: 'window.ran = 1'}));"
            "fetch(arguments[0] + '/fetch').then(() => done('answered'), () => done('refused'));",
            address,
        )
        server.shutdown()
    assert outcome == "refused"
    assert asked == []
    assert page.run("return window.ran") is None


def test_texts_that_want_to_be_markup_stay_texts(page):
    from selenium.common.exceptions import NoAlertPresentException

    for button in page.all("#sentences tbody button"):
        page.click(button)
        assert page.all("#sentences .drawn svg")
    page.click(page.one("#sentences tbody button"))
    assert page.column(1)[0] == f"{HOSTILE} {WORD}"
    assert page.column(3)[0] == f"{WORD} 배고파요 {HOSTILE}"
    shown = page.run("return Array.from(document.querySelectorAll('.drawn svg text'), each => each.textContent)")
    assert {"<img", "src=x", "onerror=alert(1)>", WORD[:23] + "…"} <= set(shown)
    assert page.all("img, iframe, object, embed") == []
    with pytest.raises(NoAlertPresentException):
        page.driver.switch_to.alert.accept()


def test_the_table_sorts(page):
    numbers = page.column(0)
    assert numbers == [str(number) for number in range(1, 13)]
    chrf, length, source = (page.all("#sentences thead button")[column] for column in (5, 6, 1))
    chrf.click()
    assert page.column(0)[:2] == ["4", "8"]
    assert [int(value) for value in page.column(5)] == sorted(int(value) for value in page.column(5))
    chrf.click()
    assert page.column(0)[-2:] == ["4", "8"]  # equal ones in the order of their numbers
    length.click()
    assert [int(value) for value in page.column(6)] == sorted(int(value) for value in page.column(6))
    source.send_keys("\ue007")  # Enter
    words = [text.rpartition(" ")[::2] for text in page.column(1)[1:]]
    assert words == sorted(words, key=lambda pair: (pair[0], int(pair[1])))  # numbers as numbers
    assert page.all("#sentences th[aria-sort]")[0].text.startswith("source")
    assert len(page.all("#sentences th[aria-sort]")) == 1


def test_the_table_filters(page):
    find = page.one("#find")
    find.send_keys("plums")
    assert page.column(1) == [source for source, _ in rows_of(11) if "plums" in source]
    assert page.one("#shown").text == f"{len(page.column(1))} of 12"
    find.clear()
    find.send_keys("사과 3")
    assert all("사과 3" in text for text in page.column(2))
    find.clear()
    find.send_keys("no such words")
    assert page.column(0) == []
    find.clear()
    find.send_keys(" ")
    page.run(
        "const which = document.querySelector('#which'); which.value = 'differ';"
        "which.dispatchEvent(new Event('change'))"
    )
    assert page.column(0) == ["4", "8"]
    assert page.all("#sentences tr.differ mark")


def test_a_map_opens_by_keyboard_and_is_read_out(page):
    page.run("document.querySelector('#sentences tbody button').focus()")
    page.press("ARROW_DOWN", "ARROW_DOWN", "ENTER")
    opened = page.one("#sentences tbody tr:nth-child(3) button")
    assert opened.get_attribute("aria-expanded") == "true"
    assert [each.text for each in page.all(".drawn figcaption b")] == ["TensorFlow", "PyTorch", "difference"]
    page.press("TAB")
    assert page.run("return document.activeElement.tagName") == "svg"
    page.press("ARROW_RIGHT", "ARROW_RIGHT", "ARROW_DOWN")
    words = page.one(".drawn output").text
    assert words.startswith("사과 ← green: TensorFlow 0.")
    assert "PyTorch 0." in words
    assert len(page.all(".drawn .pointer:not(.off)")) == 3
    page.press("ESCAPE")
    assert not page.all(".drawn")
    assert page.run("return document.activeElement.textContent") == "3"


def test_two_that_say_different_things_have_no_difference(page):
    page.click(page.all("#sentences tbody button")[7])
    assert [each.text for each in page.all(".drawn figcaption b")] == ["TensorFlow", "PyTorch"]


def test_a_click_on_a_row_opens_its_maps_and_another_closes_them(page):
    row = page.one("#sentences tbody tr:nth-child(2) td:nth-child(2)")
    page.click(row)
    assert page.all(".drawn .attention")
    page.click(row)
    assert not page.all(".drawn")


def test_the_losses_at_a_step_are_read_out(page):
    slider = page.one("#step")
    assert slider.is_displayed()
    assert page.run("return getComputedStyle(document.querySelector('#needle')).display") == "none"
    slider.send_keys("\ue012")  # one step to the left
    assert page.one("#at").text == "2: TensorFlow 1.50000000, PyTorch 1.25000000, gap 2.5e-1"
    assert page.run("return getComputedStyle(document.querySelector('#needle')).display") == "inline"


def test_every_control_is_reached_by_tab(page):
    """And whatever scrolls, too; not what is folded up, which opens by its own summary."""
    wanted = page.run(
        "return Array.from(document.querySelectorAll('a[href], button, input, select, summary, [tabindex=\"0\"]'))"
        ".filter(each => each.checkVisibility()).map((each, i) => { each.dataset.wanted = i; return String(i) })"
    )
    page.run("document.activeElement.blur()")
    reached = []
    for _ in range(len(wanted) + 5):
        page.press("TAB")
        reached.append(page.run("return document.activeElement.dataset.wanted"))
    assert set(wanted) <= set(reached)
    assert len(wanted) > 60


def test_a_link_unfolds_what_it_leads_to(page):
    page.driver.get(page.driver.current_url.partition("#")[0] + "#difference-epsilon_placement")
    assert page.run("return document.querySelector('#difference-epsilon_placement').open")


@pytest.mark.parametrize("width", [360, 768])
def test_it_fits_a_phone(page, width):
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    page.run("for (const each of document.querySelectorAll('details')) each.open = true")
    page.run("document.querySelector('#sentences tbody button').click()")
    page.run("document.querySelector('.drawn svg').focus()")
    page.press("ARROW_RIGHT")
    assert page.one(".drawn output").text
    assert page.run("return document.documentElement.scrollWidth") == width
    assert page.one("#sentences tbody td:nth-child(2)").is_displayed()


def test_it_is_dark_where_that_is_wanted_and_light_on_paper(page):
    colour = "return getComputedStyle(document.body).backgroundColor"
    dark = {"name": "prefers-color-scheme", "value": "dark"}
    assert page.run(colour) == "rgb(255, 255, 255)"
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "screen", "features": [dark]})
    assert page.run(colour) == "rgb(20, 22, 26)"
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": [dark]})
    assert page.run(colour) == "rgb(255, 255, 255)"
    assert not page.one("#find").is_displayed()
    assert page.one("#sentences tbody td").is_displayed()


def test_without_its_script_it_still_shows_everything_but_the_maps(page):
    page.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        page.driver.get(page.driver.current_url.partition("#")[0])
        assert "drawn by the page's script" in page.one("#attention noscript").text
        assert not page.one("form.controls").is_displayed()
        assert len(page.all("#sentences tbody tr")) == 12
    finally:
        page.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
