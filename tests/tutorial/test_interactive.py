"""What one can do on a page of the tutorial, in a browser: lines that light up, the attention map, the loss gap."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

ASSETS = Path(__file__).parents[2] / "docs" / "assets"
LIT = "return [...document.querySelectorAll('.dp-lit')].map((line) => line.textContent)"
SAID = "return document.querySelector(arguments[0] + ' .dp-said').textContent"


@pytest.fixture(scope="module")
def page(site, chromium, tmp_path_factory):
    """Two programs of three lines, a map of two words by three, two trainings of four steps."""
    render, programs = site("render"), site("programs")
    found = {}
    for framework, last in ("tensorflow", 0.5), ("pytorch", 0.5 + 1e-9):
        shown = {"source": ["I", "feel", "hungry"], "said": ["나는", "고프다"]}
        attention = shown | {"weights": [[0.7, 0.2, 0.1], [0.125, 0.25, 0.625]]}
        losses = {"float64": [3.0, 2.0, 1.0, last], "exact": [3.0, 2.0, 1.0, 0.5]}
        files = {"attention.json": attention, "losses.json": losses}
        left = {f"{framework}.{name}": json.dumps(value).encode() for name, value in files.items()}
        found[framework] = programs.Result({}, left)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(render, "results", lambda name: found)
        code = render.side_by_side(["a = 1\nleft\nc = 3", "a = 1\nright\nc = 3"])
        parts = [code, render.attention("x", "en"), render.loss_gap("x", "en")]
    style, script = (ASSETS / f"diptych.{kind}" for kind in ("css", "js"))
    path = tmp_path_factory.mktemp("page") / "page.html"
    head = f"<!doctype html><meta charset='utf-8'><style>{style.read_text(encoding='utf-8')}</style>"
    path.write_text(f"{head}{''.join(parts)}<script>{script.read_text(encoding='utf-8')}</script>", encoding="utf-8")
    chromium.get(path.as_uri())
    return chromium


def find(page, selector):
    return page.find_elements("css selector", selector)


def test_a_line_lights_up_in_both_by_pointer_and_by_key(page):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    ActionChains(page).move_to_element(find(page, ".dp-line")[1]).perform()
    assert page.execute_script(LIT) == ["left", "right"]
    find(page, ".dp-side pre")[1].send_keys(Keys.ARROW_DOWN)
    assert page.execute_script(LIT) == ["c = 3", "c = 3"]
    find(page, ".dp-side pre")[1].send_keys(Keys.ARROW_UP, Keys.ARROW_UP, Keys.ARROW_UP)
    assert page.execute_script(LIT) == ["a = 1", "a = 1"]


def test_the_attention_map_says_the_weights_of_both(page):
    from selenium.webdriver.common.keys import Keys

    cells = find(page, ".dp-map td[data-pytorch]")
    assert len(cells) == 6
    cells[1].click()
    assert page.execute_script(SAID, ".dp-map") == "나는 → feel: TensorFlow 0.2, PyTorch 0.2"
    page.switch_to.active_element.send_keys(Keys.ARROW_DOWN, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert page.execute_script(SAID, ".dp-map") == "고프다 → hungry: TensorFlow 0.625, PyTorch 0.625"


def test_the_slider_says_the_gap_at_a_step(page):
    from selenium.webdriver.common.keys import Keys

    (slider,) = find(page, ".dp-gap input")
    assert page.execute_script(SAID, ".dp-gap").startswith("Step 2: float64 equal to the last bit · exact equal")
    slider.send_keys(Keys.END)
    assert page.execute_script(SAID, ".dp-gap") == "Step 4: float64 1.0e-9 · exact equal to the last bit"
    lines = find(page, ".dp-gap path")
    assert len(lines) == 2
    for scheme in "default", "slate":
        page.execute_script("document.body.dataset.mdColorScheme = arguments[0]", scheme)
        assert [line.value_of_css_property("fill") for line in lines] == ["none", "none"]  # lines, not areas
