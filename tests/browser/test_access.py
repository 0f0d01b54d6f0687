"""Accessibility: keyboard, labels and contrast by axe-core in light and dark, and a stable layout."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from gradcam_widgets import GradCAMPanel

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Page

    from tests.browser.driving import Driver, Watch

AXE_VARIABLE = "GRADCAM_WIDGETS_AXE"
RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}
# Rules for the page around the panel, which belongs to the front end.
OUTSIDE = ("region", "page-has-heading-one", "landmark-one-main", "document-title", "html-has-lang")
PLACES = """() => [...document.querySelectorAll(".gcw-page *:not(option)")]
    .filter((e) => e.offsetParent && !e.closest("svg, .gcw-bars, .gcw-notes, figcaption, .gcw-ends"))
    .map((e) => e.getBoundingClientRect()).map((r) => [r.x, r.y, r.width, r.height].map(Math.round))"""
FOCUSED = """() => {
    const e = document.activeElement;
    const label = e.id && document.querySelector(`label[for="${e.id}"]`);
    return label ? label.textContent : e.matches(".gcw-frame") ? "image" : e.textContent.trim();
}"""
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}


@pytest.fixture
def axe() -> str:
    path = os.environ.get(AXE_VARIABLE)
    if not path:
        absent = f"{AXE_VARIABLE} does not name axe.min.js of the npm package axe-core"
        if os.environ.get("GRADCAM_WIDGETS_REQUIRE_BROWSER") == "1":
            pytest.fail(absent)
        pytest.skip(absent)
    return Path(path).read_text(encoding="utf-8")


@pytest.fixture
def exported(photo_source: Path, tmp_path: Path) -> str:
    assert photo_source.is_dir()
    panel = GradCAMPanel(source="photos")
    return panel.export_html(tmp_path / "page.html", ["features.7", "features.12"], [833, 403, 540]).as_uri()


def violations(page: Page, axe: str, selector: str) -> list[str]:
    """Return axe-core's violations in a part of the page; the important rules must have been applied."""
    page.evaluate(axe)
    result: dict[str, Any] = page.evaluate(
        "([selector, rules]) => axe.run(selector, {runOnly: rules})", [selector, RULES]
    )
    applied = {rule["id"] for rule in result["passes"]} | {rule["id"] for rule in result["violations"]}
    assert {"color-contrast", "label", "select-name", "button-name"} <= applied
    return [
        f"{rule['id']}: {rule['help']}: {node['html'][:200]}: {node['failureSummary']}"
        for rule in result["violations"]
        if rule["id"] not in OUTSIDE
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_jupyterlab(
    theme: str, front_end: Callable[..., Driver], photo_source: Path, axe: str
) -> None:
    assert photo_source.is_dir()
    driver = front_end("lab", "source='photos', compare='class'", theme=THEMES[theme])
    ground = driver.root.evaluate("view => getComputedStyle(view).backgroundColor")
    assert (max(map(int, ground[4:-1].split(","))) < 64) == (theme == "dark")
    assert violations(driver.page, axe, ".gcw-panel") == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_exported_page(
    scheme: str, open_page: Callable[..., tuple[Page, Watch]], exported: str, axe: str
) -> None:
    page, _ = open_page(900, scheme)
    page.goto(exported)
    page.wait_for_selector("canvas[data-paints]")
    assert violations(page, axe, "main") == []
    page.get_by_label("Guess first").check()
    assert violations(page, axe, "main") == []


@pytest.mark.parametrize("width", [600, 900, 1400])
def test_nothing_is_cut_off_and_nothing_jumps(
    width: int, open_page: Callable[..., tuple[Page, Watch]], exported: str
) -> None:
    from tests.browser.driving import Driver

    page, watch = open_page(width)
    page.goto(exported)
    driver = Driver(page, watch)
    driver.wait_until_painted()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    before = page.evaluate(PLACES)
    right_edge = page.evaluate("document.querySelector('.gcw-page').getBoundingClientRect().right")
    assert all(x + wide <= right_edge + 1 for x, _, wide, _ in before)
    driver.choose("Class", "403")
    assert page.evaluate(PLACES) == before
    driver.choose("Class", "540")
    assert page.evaluate(PLACES) == before


@pytest.mark.parametrize("kind", ["lab", "voila"])
def test_the_keyboard_alone_does_everything(kind: str, front_end: Callable[..., Driver], photo_source: Path) -> None:
    assert photo_source.is_dir()
    driver = front_end(kind, "source='photos'")
    page, keyboard = driver.page, driver.page.keyboard

    def tab_to(name: str) -> None:
        for _ in range(60):
            keyboard.press("Tab")
            if name in str(page.evaluate(FOCUSED)):
                return
        raise AssertionError(f"{name} is not reached by the Tab key")

    driver.label("Image").focus()
    tab_to("Class")
    before = driver.sequence()
    keyboard.press("ArrowDown")
    keyboard.press("Enter")
    driver.wait_for_answer(before)
    driver.wait_for_kernel(target=403)
    tab_to("image")
    keyboard.press("ArrowRight")
    assert "cell (" in driver.root.locator(".gcw-readout").inner_text()
    keyboard.press("Enter")
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowDown", "ArrowDown"):
        keyboard.press(key)
    keyboard.press("Enter")
    tab_to("Without: gray")
    before = driver.sequence()
    keyboard.press("Enter")
    driver.wait_for_answer(before)
    ((kind, (left, top, right, bottom)),) = driver.kernel()["edits"]
    assert kind == "gray"
    # Three cells high and two wide, with 13 cells over 224 pixels.
    assert np.abs(np.subtract([right - left, bottom - top], [2 * 224 / 13, 3 * 200 / 13])).max() < 8
    tab_to("Undo")
    keyboard.press("Enter")
    driver.wait_for_kernel(edits=[])
    tab_to("submarine")
    keyboard.press("Enter")
    driver.wait_for_kernel(target=833)
    cells = page.locator(".jp-Cell").count()
    for key in "xab":  # the notebook's keys for cutting and inserting cells
        keyboard.press(key)
    assert page.locator(".jp-Cell").count() == cells
    tab_to("Opacity")
    before_pixels = driver.pixels()
    keyboard.press("Home")
    driver.settle()
    assert np.abs(driver.pixels().astype(int) - before_pixels).max() > 20
    tab_to("Guess first")
    keyboard.press("Space")
    driver.page.get_by_role("button", name="Reveal").wait_for()


def test_two_panels_in_one_notebook_are_independent(front_end: Callable[..., Driver], photo_source: Path) -> None:
    assert photo_source.is_dir()
    driver = front_end(
        "lab", "source='photos'", more="import ipywidgets\nipywidgets.VBox([GradCAMPanel(source='photos'), panel])"
    )
    page = driver.page
    page.wait_for_function("document.querySelectorAll('.gcw-view').length === 2")
    boxes = page.get_by_label("Guess first")
    page.locator("label", has_text="Guess first").nth(1).click()
    assert [boxes.nth(i).is_checked() for i in range(2)] == [False, True]
    ids = page.evaluate("[...document.querySelectorAll('.gcw-view [id]')].map((e) => e.id)")
    assert len(ids) == len(set(ids)) > 10


def test_a_finger_scrolls_past_the_image_and_a_tap_shows_a_value(browser: Browser, exported: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 700}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(exported)
    page.wait_for_selector("canvas[data-paints]")
    box = page.locator(".gcw-frame").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.touchscreen.tap(x, y)
    page.get_by_text("cell (").wait_for()
    session = context.new_cdp_session(page)
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for step in range(1, 13):
        session.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": x, "y": y - 20 * step}]})
        page.wait_for_timeout(16)
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.wait_for_timeout(500)
    assert page.evaluate("scrollY") > 100
    context.close()
