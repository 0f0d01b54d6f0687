"""The panel in Chromium: the same actions in every front end, and the exported page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from gradcam_widgets import GradCAMPanel, Heatmap
from gradcam_widgets.view.wire import pack_image

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from numpy.typing import NDArray
    from playwright.sync_api import Page

    from tests.browser.driving import Driver, Watch

SUBMARINE, AIRCRAFT_CARRIER = 833, 403
SAME = 2  # one gray level, plus the difference between JPEG decoders
SAME_ON_A_PAGE = 4  # 16-bit values may select a neighboring color


@pytest.fixture
def panel(photo_source: Path) -> GradCAMPanel:
    """A panel with the same settings, without a browser."""
    assert photo_source.is_dir()
    return GradCAMPanel(source="photos")


def expected_pixels(heatmap: Heatmap, **display: Any) -> NDArray[np.uint8]:
    """Return the overlay drawn by Python over the decoded JPEG, `(H, W, 3)` uint8 RGB."""
    data = np.frombuffer(pack_image([heatmap])["jpeg"], np.uint8)
    sent = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR_RGB), np.uint8)
    assert sent.std() > 10
    return heatmap.overlay(sent, **display)


def differ(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> int:
    assert one.shape == other.shape
    return int(np.abs(one.astype(int) - other).max())


def every_control(driver: Driver, heatmap: Heatmap, same: int = SAME) -> None:
    """Use every display control; after each, the canvas must equal the overlay drawn by Python."""
    display: dict[str, Any] = {}
    moves: list[tuple[Callable[[], None], dict[str, Any]]] = [
        (lambda: driver.slide("Opacity", 0.4), {"opacity": 0.4}),
        (lambda: driver.choose("Colors", "jet"), {"colormap": "jet"}),
        (lambda: driver.label("Fade weak evidence").uncheck(), {"fade": False}),
        (lambda: driver.choose("Evidence", "against"), {"evidence": "against"}),
        (lambda: driver.choose("Colors", ""), {"colormap": None}),
        (lambda: driver.choose("Evidence", "both"), {"evidence": "both"}),
        (lambda: driver.choose("Grid", "cells"), {"interpolation": "cells"}),
        (lambda: driver.choose("Evidence", "for"), {"evidence": "for"}),
        (lambda: driver.choose("Grid", "cubic"), {"interpolation": "cubic"}),
        (lambda: driver.slide("Threshold", 0.35), {"threshold": 0.35}),
        (lambda: driver.label("Fade weak evidence").check(), {"fade": True}),
        (lambda: driver.choose("Grid", "bilinear"), {"interpolation": "bilinear"}),
    ]
    before = driver.pixels()
    assert differ(before, expected_pixels(heatmap)) <= same
    for move, change in moves:
        move()
        driver.settle()
        display |= change
        after = driver.pixels()
        assert differ(after, expected_pixels(heatmap, **display)) <= same, change
        assert differ(after, before) > 5, change
        before = after
    box = heatmap.box(0.35)
    assert box is not None
    shown = [int(side) for side in str(driver.frames().first.get_attribute("data-box")).split(",")]
    assert np.abs(np.subtract(shown, box)).max() <= 1
    driver.slide("Threshold", 0)
    driver.slide("Opacity", 0.75)


def compares(driver: Driver, maps: tuple[Heatmap, ...], same: int = SAME) -> None:
    """Check two maps on one scale, with linked pointers and their correlation."""
    assert driver.frames().count() == 2
    vmax = max(heatmap.vmax() for heatmap in maps)
    for i, heatmap in enumerate(maps):
        assert differ(driver.pixels(i), expected_pixels(heatmap, vmax=vmax)) <= same
    driver.frames().nth(1).hover(position={"x": 40, "y": 40})
    readout = driver.root.locator(".gcw-readout").inner_text()
    for heatmap in maps:
        assert f"{heatmap.title}: cell (" in readout
    assert driver.root.locator("svg rect.gcw-line.gcw-cell").count() == 2
    first, second = (heatmap.upsampled() for heatmap in maps)
    correlation = np.corrcoef(first.ravel(), second.ravel())[0, 1]
    assert f"correlation is {correlation:.2f}".replace("-", "−") in driver.root.locator(".gcw-notes").inner_text()


def guesses(driver: Driver, heatmap: Heatmap) -> None:
    """Check that the map is hidden until revealed, and the guess's fraction of the evidence shown then."""
    shown = driver.pixels()
    driver.label("Guess first").check()
    driver.settle()
    hidden = driver.pixels()
    assert differ(hidden, expected_pixels(heatmap, opacity=0)) <= SAME
    assert differ(hidden, shown) > 30
    driver.drag((0.0, 0.5), (0.5, 1.0))
    driver.press("Reveal")
    driver.settle()
    assert differ(driver.pixels(), shown) == 0
    large = heatmap.upsampled(evidence="for")
    rows, columns = large.shape
    share = large[rows // 2 :, : columns // 2].sum() / large.sum()
    notes = driver.root.locator(".gcw-notes").inner_text()
    noted = float(notes.split("Your guess holds ")[1].split(" %")[0]) / 100
    assert noted == pytest.approx(share, abs=0.02)
    driver.label("Guess first").uncheck()
    driver.settle()


@pytest.mark.parametrize("kind", ["lab", "notebook", "voila"])
def test_a_user_drives_the_panel(kind: str, front_end: Callable[..., Driver], panel: GradCAMPanel) -> None:
    driver = front_end(kind, "source='photos'")
    assert driver.kernel()["target"] == SUBMARINE

    sent = len(driver.watch.comm_messages())
    every_control(driver, panel.heatmap)
    guesses(driver, panel.heatmap)
    assert len(driver.watch.comm_messages()) - sent <= 1  # sent once on leaving, never while moving

    driver.choose_text("Class", "aircraft carrier")
    driver.wait_for_kernel(target=AIRCRAFT_CARRIER, opacity=0.75, evidence="for")
    panel.target = AIRCRAFT_CARRIER
    assert differ(driver.pixels(), expected_pixels(panel.heatmap)) <= SAME

    before = driver.sequence()
    driver.page.get_by_role("button", name="submarine 0.832").click()
    driver.wait_for_answer(before)
    driver.wait_for_kernel(target=SUBMARINE)

    driver.choose_text("Layer", "features.7")
    driver.wait_for_kernel(layer="features.7")
    panel.target, panel.layer = SUBMARINE, "features.7"
    assert differ(driver.pixels(), expected_pixels(panel.heatmap)) <= SAME
    driver.choose_text("Method", "hirescam")
    driver.wait_for_kernel(method="hirescam")
    panel.method = "hirescam"
    assert differ(driver.pixels(), expected_pixels(panel.heatmap)) <= SAME
    driver.choose_text("Layer", "features.12")
    driver.choose_text("Method", "grad-cam")
    panel.layer, panel.method = "features.12", "grad-cam"

    driver.choose_text("Compare", "another class")
    driver.wait_for_kernel(compare="class", other=AIRCRAFT_CARRIER)
    panel.compare = "class"
    compares(driver, panel.heatmaps)
    driver.choose_text("Compare", "nothing")
    panel.compare = "nothing"

    crops_and_covers(driver, panel)
    searches(driver)
    assert driver.watch.errors == []
    assert driver.watch.outside == []


def crops_and_covers(driver: Driver, panel: GradCAMPanel) -> None:
    """Edit a dragged rectangle; the changes of probability are shown, and Undo reverts the edit."""
    for verb, kind_of_edit in (("Look only here", "crop"), ("Without: gray", "gray"), ("Without: blur", "blur")):
        driver.drag((0.5, 0.05), (0.95, 0.45))
        before = driver.sequence()
        driver.press(verb)
        driver.wait_for_answer(before)
        (made,) = driver.kernel()["edits"]
        assert made[0] == kind_of_edit
        rows, columns = panel.heatmap.image.shape[:2] if panel.heatmap.image is not None else (0, 0)
        assert np.abs(np.subtract(made[1], [0.5 * columns, 0.05 * rows, 0.95 * columns, 0.45 * rows])).max() <= 2
        alone = GradCAMPanel(source="photos", edits=[made], target=SUBMARINE)
        assert differ(driver.pixels(), expected_pixels(alone.heatmap)) <= SAME
        changes = driver.root.locator(".gcw-bars button").all()
        text = next(bar.locator(".gcw-change").inner_text() for bar in changes if "submarine" in bar.inner_text())
        before_it, after_it = (
            next(p.probability for p in shown.predictions if p.class_index == SUBMARINE) for shown in (panel, alone)
        )
        assert float(text.replace("−", "-").replace("±", "")) == pytest.approx(after_it - before_it, abs=6e-4)
        before = driver.sequence()
        driver.press("Undo")
        driver.wait_for_answer(before)
        driver.wait_for_kernel(edits=[])
        assert differ(driver.pixels(), expected_pixels(panel.heatmap)) <= SAME


def searches(driver: Driver) -> None:
    """Check that an unknown class shows an error, and that the panel continues to work."""
    driver.label("Find class").fill("no such thing")
    driver.label("Find class").press("Enter")
    driver.root.get_by_role("alert").wait_for()
    assert "matches none of" in driver.root.get_by_role("alert").inner_text()
    before = driver.sequence()
    driver.label("Find class").fill("fireboat")
    driver.label("Find class").press("Enter")
    driver.wait_for_answer(before)
    driver.wait_for_kernel(target=554)
    assert driver.root.get_by_role("alert").count() == 0


@pytest.mark.parametrize("width", [600, 1400])
def test_the_exported_page_works_from_a_file(
    width: int, open_page: Callable[..., tuple[Page, Watch]], panel: GradCAMPanel, tmp_path: Path
) -> None:
    from tests.browser.driving import Driver

    file = panel.export_html(tmp_path / "page.html", ["features.7", "features.12"], ["submarine", "aircraft carrier"])
    page, watch = open_page(width)
    page.context.set_offline(offline=True)
    page.goto(file.as_uri())
    driver = Driver(page, watch)
    driver.wait_until_painted()
    every_control(driver, panel.heatmap, SAME_ON_A_PAGE)
    guesses(driver, panel.heatmap)
    driver.choose("Class", str(AIRCRAFT_CARRIER))
    panel.target = AIRCRAFT_CARRIER
    assert differ(driver.pixels(), expected_pixels(panel.heatmap)) <= SAME_ON_A_PAGE
    driver.choose("Layer", "features.7")
    panel.layer = "features.7"
    assert differ(driver.pixels(), expected_pixels(panel.heatmap)) <= SAME_ON_A_PAGE
    driver.choose("Compare", str(SUBMARINE))
    panel.compare, panel.other = "class", SUBMARINE
    compares(driver, panel.heatmaps, SAME_ON_A_PAGE)
    with page.expect_download() as saved:
        driver.press("Save PNG")
    image = cv2.imread(str(saved.value.path()))
    assert image is not None
    assert image.std() > 10
    assert not page.get_by_role("button", name="Look only here").is_visible()
    assert watch.errors == []
    assert watch.outside == []
