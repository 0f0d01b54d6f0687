"""The README's picture of the panel shows today's panel: this test makes it.

`GRADCAM_WIDGETS_UPDATE_IMAGES=1 pytest tests/browser/test_readme_image.py` writes it anew. Fonts differ between
machines, so the picture carries the words of the panel, and those are compared.
"""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from tests.support import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.driving import Driver

PATH = ROOT / "notebooks" / "images" / "panel.jpg"
ARGUMENTS = "source='scenes', target='submarine'"
WORDS = """() => [...document.querySelectorAll(
    '.gcw-panel label, .gcw-panel button, .gcw-panel option, .gcw-panel .widget-label')]
    .filter(element => element.checkVisibility()).map(element => element.textContent.trim()).filter(Boolean)"""


def test_the_readme_shows_the_panel_of_today(front_end: Callable[..., Driver]) -> None:
    driver = front_end("lab", ARGUMENTS, width=1500)
    panel = driver.page.locator(".gcw-panel").last
    panel.scroll_into_view_if_needed()
    words = "\n".join(driver.page.evaluate(WORDS))
    assert "Opacity" in words
    picture = Image.open(io.BytesIO(panel.screenshot())).convert("RGB")
    assert np.ptp(np.asarray(picture)) > 200
    if os.environ.get("GRADCAM_WIDGETS_UPDATE_IMAGES") == "1":
        picture.save(PATH, quality=88, optimize=True, comment=words.encode("utf-8"))
    with Image.open(PATH) as committed:
        said = committed.info.get("comment", b"").decode("utf-8")
    assert said == words, "the panel has changed: write its picture anew, as said above"
