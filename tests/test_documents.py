"""README, guide and lessons: short, links lead somewhere, code parses, the first code makes its figure."""

from __future__ import annotations

import ast
import io
import json
import os
import re
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.support import ROOT

README = ROOT / "README.md"
FIGURE = ROOT / "notebooks" / "images" / "comparison.jpg"
DOCUMENTS = sorted(
    path
    for path in [README, *ROOT.glob(".github/*.md"), *ROOT.glob("notebooks/guide/*.md"), *ROOT.glob("*/README.md")]
    if ".venv" not in path.parts
)
MAX_WORDS = 1000
SQUARE, GRAY_LEVELS = 16, 2.5  # over squares of pixels the fonts before matplotlib 3.11 are 1.4 apart, other colors 3.8


def test_the_readme_is_short() -> None:
    assert 500 < len(README.read_text(encoding="utf-8").split()) < MAX_WORDS


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Any) -> None:
    text = path.read_text(encoding="utf-8")
    assert "OWNER" not in text
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        target, _, anchor = link.partition("#")
        if target.startswith("https://"):
            continue
        file = (path.parent / target).resolve() if target else path
        assert file.exists(), link
        headings = re.findall(r"^#+ (.*)", file.read_text(encoding="utf-8"), re.MULTILINE) if anchor else []
        assert not anchor or anchor in [re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in headings], (
            link
        )


def test_code_blocks_parse_and_use_todays_words() -> None:
    texts = [path.read_text(encoding="utf-8") for path in DOCUMENTS if path.parent.name != "gradcam_widgets"]
    for lesson in sorted((ROOT / "notebooks").glob("*.ipynb")):
        texts += ["".join(cell["source"]) for cell in json.loads(lesson.read_text(encoding="utf-8"))["cells"]]
    blocks = [block for text in texts for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL)]
    assert len(blocks) > 15
    for block in blocks:
        ast.parse(block)
    for text in texts:
        assert not re.search(r"\b(?:pictures?|digest|categor(?:y|ies))\b|='photo'|SOURCE=photo\b|network=[\"']", text)


def test_the_first_code_makes_its_figure(capsys: pytest.CaptureFixture[str]) -> None:
    """Set GRADCAM_WIDGETS_UPDATE_IMAGES=1 to update the figure."""
    code = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)[0]
    assert 8 <= len([line for line in code.splitlines() if line]) <= 11
    before, _, last = code.rstrip().rpartition("\n")
    scope: dict[str, Any] = {}
    exec(before, scope)  # noqa: S102 - the README's own
    figure = eval(last, scope)  # noqa: S307 - likewise
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 4
    assert printed[0].startswith("Prediction(submarine (0), probability 0.8")
    assert printed[3].startswith("submarine (0) | layer4 7×7 grad-cam | ")
    drawn = Image.open(io.BytesIO(figure._repr_jpeg_())).convert("RGB")
    assert np.ptp(np.asarray(drawn)) > 200
    if os.environ.get("GRADCAM_WIDGETS_UPDATE_IMAGES") == "1":
        drawn.save(FIGURE, quality=88, optimize=True)
    with Image.open(FIGURE) as opened:
        committed = opened.convert("RGB")
    assert committed.size == drawn.size
    first, second = (np.asarray(each.reduce(SQUARE), np.float64) for each in (committed, drawn))
    assert np.abs(first - second).mean() < GRAY_LEVELS
