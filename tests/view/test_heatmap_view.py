"""The image view's own code under node, without a browser: golden values come from here, from OpenCV and numpy."""

from __future__ import annotations

import base64
import json
import math
import os
import re
import subprocess
from dataclasses import replace
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np
import pytest
from matplotlib import colormaps

from gradcam_widgets import Heatmap
from gradcam_widgets.heatmaps.display import DEFAULT_COLORMAPS
from gradcam_widgets.view import HeatmapView, export_page
from gradcam_widgets.view.heatmap_view import VIEW_MODULE
from gradcam_widgets.view.modules import STATIC, lean
from gradcam_widgets.view.page import SCRIPT
from gradcam_widgets.view.traits import COLORMAPS, DISPLAY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcam_widgets.heatmaps.display import Evidence, Interpolation

TESTS = Path(__file__).parent
HOSTILE = "<script>alert('x')</script> $\\frac{1}{2}$ \"'& <!-- &amp;"
IMAGE_SIZE = (23, 31)
CV2_INTERPOLATION = {"bilinear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC}
EVIDENCE: tuple[Evidence, ...] = ("for", "against", "both")
INTERPOLATIONS: tuple[Interpolation, ...] = ("cells", "bilinear", "cubic")
WORDS = json.loads((TESTS / "words.json").read_text(encoding="utf-8"))  # of the view's elements, in their order
UNDECIDED = 1e-3  # of a color's step: there the float32 of Python and the float64 of the browser may part


@pytest.mark.parametrize("name", ["modules", "pure", "render", "page"])
def test_the_views_own_code_in_node(node: str, tmp_path: Path, name: str) -> None:
    golden = tmp_path / "golden.json"
    golden.write_text(json.dumps(made_golden(tmp_path), default=in_base64), encoding="utf-8")
    run = subprocess.run(  # noqa: S603 - node as it was found
        [node, "--test", str(TESTS / f"{name}.test.mjs")],
        # numbers are written with points even where German is spoken
        env={**os.environ, "LC_ALL": "de_DE.UTF-8", "GRADCAM_WIDGETS_GOLDEN": str(golden)},
        capture_output=True,
        encoding="utf-8",
        timeout=240,
        check=False,
    )
    assert run.returncode == 0, f"\n{run.stdout}\n{run.stderr}"
    tests = int(re.search(r"^# pass (\d+)$", run.stdout, re.MULTILINE)[1])  # type: ignore[index]
    text = (TESTS / f"{name}.test.mjs").read_text(encoding="utf-8")
    declared = len(re.findall(r"^ *test\(", text, re.MULTILINE))
    assert tests >= declared > 3, run.stdout


def test_references_are_not_blank(tmp_path: Path) -> None:
    golden = made_golden(tmp_path)
    for case in golden["upsampled"]:
        if "flat" not in case["name"]:
            assert np.ptp(np.frombuffer(case["expected"], np.float32)) > 1, case["name"]
    assert {case["interpolation"] for case in golden["upsampled"]} == set(INTERPOLATIONS)
    overlays = golden["overlays"]
    assert len(overlays) == 3 * 2 * 2 * 3 * 3
    assert len({case["expected"] for case in overlays}) == len(overlays)
    for case in overlays:
        assert np.ptp(np.frombuffer(case["expected"], np.uint8)) > 100, case["name"]
        assert len(case["undecided"]) < 0.1 * IMAGE_SIZE[0] * IMAGE_SIZE[1], case["name"]
    assert any(case["expected"] is None for case in golden["boxes"])
    assert len({tuple(case["expected"] or ()) for case in golden["boxes"]}) > 5
    assert all(abs(case["expected"]) > 0.01 for case in golden["correlations"])
    assert len({case["expected"] for case in golden["colorIndices"]}) > 50
    assert set(golden["tables"]) == set(COLORMAPS)


def test_the_front_end_has_no_markup_and_no_remote_requests() -> None:
    texts = {file.name: file.read_text(encoding="utf-8") for file in STATIC.iterdir()}
    assert set(texts) >= {"view.mjs", "view.css", "page.mjs", "page.css"}
    # A module imports its neighbors, and nothing else; what is sent is one module, without imports.
    neighbors = "|".join(map(re.escape, texts))
    modules = {name: lean(text) for name, text in texts.items()}
    imports = re.compile(rf'^import {{[^}}]*}} from "\./({neighbors})";$', re.MULTILINE)
    alone = {name: imports.sub("", text) for name, text in modules.items()}
    assert sum(alone[name] != modules[name] for name in texts) > 10
    for name, text in {**alone, "the widget": VIEW_MODULE, "the page's script": SCRIPT}.items():
        found = re.findall(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|DOMParser|\beval\b|"
            r"new Function|\bfetch\b|XMLHttpRequest|WebSocket|sendBeacon|\bimport\b.*[\"'(]|@import|url\(",
            text,
        )
        assert not found, name
        addresses = set(re.findall(r"\b(?:https?:)?//[\w.-]+\.\w+[^\s\"')]*", text))
        assert addresses <= {"http://www.w3.org/2000/svg"}, name


@pytest.mark.parametrize("name", COLORMAPS)
def test_colors_reach_the_browser_as_matplotlib_has_them(name: str) -> None:
    expected = np.asarray(colormaps[name](np.linspace(0, 1, 256), bytes=True))[:, :3]
    assert len(np.unique(expected, axis=0)) > 100
    assert HeatmapView(heatmap()).tables[name] == expected.tobytes()


def made_golden(folder: Path) -> dict[str, Any]:
    view = folder / "view.mjs"
    view.write_text(VIEW_MODULE, encoding="utf-8")
    first, second = heatmap(), heatmap(seed=1, class_index=4, class_name=HOSTILE)
    states = {
        "state": state(HeatmapView(first)),
        "other": state(HeatmapView(second, opacity=0.5, colormap="jet", fade=False)) | {"maps": {}},
        "compared": state(HeatmapView([first, second])),
        "hostile": state(HeatmapView(second)),
    }
    states["other"]["maps"] = {**states["hostile"]["maps"], "seq": 17}
    for each in states.values():
        each["predictions"] = [row(3, "crab", 0.7), row(4, HOSTILE, 0.2), row(9, "tug", 0.1)]
    one, other = (resized(each.evidence("both"), (12, 24)).ravel() for each in (first, second))
    correlation = np.corrcoef(one, other)[0, 1]
    states["compared"]["correlation"] = f"correlation is {correlation:.2f}".replace("-", "−")
    return {
        "view": str(view),
        "modules": str(STATIC),
        "evidence": EVIDENCE,
        "display": DISPLAY,
        "defaultColormaps": DEFAULT_COLORMAPS,
        **WORDS,
        "tables": {
            name: np.asarray(colormaps[name](np.arange(256), bytes=True))[:, :3].tobytes() for name in COLORMAPS
        },
        "upsampled": upsampled(),
        "colorIndices": color_indices(),
        "overlays": overlays(),
        "boxes": boxes(),
        "correlations": correlations(),
        "rounded": [
            {"number": number, "expected": float(np.rint(number)) + 0.0}
            for number in [0, 0.5, 1.5, 2.5, 126.5, 127.5, 0.49999999, 0.50000001, -0.5, -1.5, -2.4, 254.5, 255]
        ],
        "hostileName": HOSTILE,
        **states,
        **exported(folder),
    }


def heatmap(seed: int = 0, class_index: int = 3, class_name: str = "crab", layer: str = "features") -> Heatmap:
    random = np.random.default_rng(seed)
    return Heatmap(
        values=random.normal(size=(5, 7)).astype(np.float32),
        class_index=class_index,
        class_name=class_name,
        logit=4.5,
        probability=0.75,
        layer=layer,
        method="grad-cam",
        model="a model",
        image=np.random.default_rng(9).integers(0, 256, (*IMAGE_SIZE, 3), dtype=np.uint8),
    )


def row(class_index: int, name: str, probability: float) -> dict[str, Any]:
    return {"class_index": class_index, "name": name, "probability": probability, "logit": 1.5, "before": 0.25}


def state(view: HeatmapView) -> dict[str, Any]:
    own = [name for name in view.keys if not name.startswith("_") and name not in ("layout", "tabbable", "tooltip")]
    found = {name: getattr(view, name) for name in own}
    found["image"] = {**found["image"], "size": [60, 80], "window": [0, 0, 80, 60]}
    view.close()
    return found


def in_base64(data: bytes) -> dict[str, str] | str:
    return {"base64": base64.b64encode(data).decode("ascii")}


def resized(values: NDArray[np.float32], size: tuple[int, int], interpolation: str = "bilinear") -> NDArray[np.float32]:
    if interpolation == "cells":
        rows, columns = (
            [math.floor(Fraction(2 * pixel + 1, 2 * pixels) * cells) for pixel in range(pixels)]
            for cells, pixels in zip(values.shape, size, strict=True)
        )
        return values[rows][:, columns]
    large = cv2.resize(values, (size[1], size[0]), interpolation=CV2_INTERPOLATION[interpolation])
    return cast("NDArray[np.float32]", large.astype(np.float32))


def upsampled() -> list[dict[str, Any]]:
    cases = []
    grids_and_sizes = [
        ((7, 7), (224, 224)),
        ((5, 7), (23, 31)),
        ((3, 11), (37, 40)),
        ((14, 9), (101, 45)),
        ((1, 4), (9, 13)),
    ]
    grids_and_sizes += [((7, 5), (7, 5)), ((6, 1), (20, 3)), ((2, 3), (65, 33))]
    for (grid, size), interpolation in product(grids_and_sizes, INTERPOLATIONS):
        values = np.random.default_rng(grid[0]).normal(scale=2, size=grid).astype(np.float32)
        large = resized(values, size, interpolation).clip(values.min(), values.max())
        name = f"{grid} to {size}, {interpolation}"
        tolerance = 0 if interpolation == "cells" else 1e-5
        cases.append(upsampling(name, values, size, interpolation, large, tolerance))
    flat = np.full((3, 4), -1.25, np.float32)
    cases.append(upsampling("flat", flat, (10, 11), "cubic", resized(flat, (10, 11), "cubic"), 1e-6))
    return cases


def upsampling(
    name: str,
    values: NDArray[np.float32],
    size: tuple[int, int],
    interpolation: str,
    expected: NDArray[np.float32],
    tolerance: float,
) -> dict[str, Any]:
    return {
        "name": name,
        "values": values.tobytes(),
        "grid": values.shape,
        "size": size,
        "interpolation": interpolation,
        "expected": expected.tobytes(),
        "tolerance": tolerance,
    }


def color_indices() -> list[dict[str, Any]]:
    values = [*np.linspace(-2.5, 2.5, 101), 1.0, -1.0, 0.0, 2.0, -2.0]
    cases = []
    for value, vmax, signed in product(map(float, values), (2.0, 0.75, 0.0), (False, True)):
        share = float(np.clip(value / vmax, -1, 1)) if vmax else 0.0
        position = (share + 1) / 2 if signed else max(share, 0.0)
        expected = int(np.rint(position * 255))
        cases.append({"value": value, "vmax": vmax, "signed": signed, "expected": expected})
    return cases


def overlays() -> list[dict[str, Any]]:
    shown = heatmap(seed=2)
    assert shown.image is not None
    image = np.dstack([shown.image, np.full(IMAGE_SIZE, 255, np.uint8)])
    cases = []
    combinations = list(product(EVIDENCE, (True, False), (0.0, 0.35), INTERPOLATIONS, (None, 0.6, 1.7)))
    for i, (evidence, fade, threshold, interpolation, share) in enumerate(combinations):
        colormap, opacity = COLORMAPS[i % len(COLORMAPS)], (0.5, 0.75, 1.0)[i % 3]
        vmax = None if share is None else share * shown.vmax(evidence)
        overlay = shown.overlay(
            evidence=evidence,
            fade=fade,
            threshold=threshold,
            interpolation=interpolation,
            vmax=vmax,
            colormap=colormap,
            opacity=opacity,
        )
        look = f"{colormap}, opacity {opacity}"
        cases.append(
            {
                "name": f"{evidence}, fade {fade}, above {threshold}, {interpolation}, scale {share}, {look}",
                "evidence": evidence,
                "interpolation": interpolation,
                "colormap": colormap,
                "values": shown.values.tobytes(),
                "grid": shown.grid,
                "size": IMAGE_SIZE,
                "image": image.tobytes(),
                "vmax": vmax,
                "opacity": opacity,
                "fade": fade,
                "threshold": threshold,
                "expected": np.dstack([overlay, image[..., 3]]).tobytes(),
                "undecided": undecided(shown, evidence, interpolation, vmax, threshold),
            }
        )
    return cases


def undecided(
    shown: Heatmap, evidence: Evidence, interpolation: Interpolation, vmax: float | None, threshold: float
) -> list[int]:
    """List the pixels whose color lies between two of the table, or whose value lies at the threshold itself."""
    large = shown.upsampled(IMAGE_SIZE, interpolation, evidence).astype(np.float64)
    share = np.clip(large / (vmax or shown.vmax(evidence)), -1, 1)
    position = 255 * ((share + 1) / 2 if evidence == "both" else share)
    between = np.abs(position - np.floor(position) - 0.5) < UNDECIDED
    strength = np.abs(large) / np.abs(large).max()
    return [int(i) for i in np.flatnonzero(between | (np.abs(strength - threshold) < 1e-6) & (threshold > 0))]


def boxes() -> list[dict[str, Any]]:
    cases = []
    for seed, (size, threshold) in enumerate(product([(20, 30), (13, 9), (41, 17)], [0.0, 0.15, 0.4, 0.8])):
        values = cv2.GaussianBlur(np.random.default_rng(seed).normal(size=size), (0, 0), 1.2).astype(np.float32)
        cases.append(boxed(f"{size} above {threshold}", values, threshold))
    corners = np.zeros((6, 8), np.float32)
    corners[1, 1] = corners[2, 2] = corners[3, 3] = 1  # touch by their corners alone
    corners[0, 6:8] = 0.9
    corners[5, 0] = -1
    cases.append(boxed("cells that touch by their corners", corners, 0.5))
    ring = np.ones((7, 9), np.float32)
    ring[1:-1, 1:-1] = 0
    cases.append(boxed("a ring", ring, 0.5))
    cases.append(boxed("all of it", np.ones((5, 6), np.float32), 0.5))
    cases.append(boxed("nothing", np.zeros((5, 6), np.float32), 0.5))
    return cases


def boxed(name: str, values: NDArray[np.float32], threshold: float) -> dict[str, Any]:
    strength = np.abs(values)
    region = (strength > np.float64(threshold) * strength.max()).astype(np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(region, connectivity=8)
    expected = None
    if count > 1:
        areas = sorted(stats[1:count, cv2.CC_STAT_AREA].tolist())
        assert len(areas) == 1 or areas[-1] > areas[-2], f"{name}: two regions are the largest"
        left, top, width, height = stats[1 + int(stats[1:count, cv2.CC_STAT_AREA].argmax()), :4].tolist()
        expected = [left, top, left + width, top + height]
    return {
        "name": name,
        "values": values.tobytes(),
        "size": values.shape,
        "threshold": threshold,
        "expected": expected,
    }


def correlations() -> list[dict[str, Any]]:
    random = np.random.default_rng(4)
    one = random.normal(size=400).astype(np.float32)
    cases = []
    for share in (1.0, 0.5, -0.8, 0.02):
        other = (share * one + 0.7 * random.normal(size=400) + 3).astype(np.float32)
        expected = float(np.corrcoef(one.astype(np.float64), other.astype(np.float64))[0, 1])
        cases.append({"one": one.tobytes(), "other": other.tobytes(), "expected": expected})
    return cases


def exported(folder: Path) -> dict[str, Any]:
    """Write a page and take it apart as a browser does: its script, and the data in it."""
    layers, classes = ("stem", "features"), ((3, "crab"), (4, HOSTILE), (9, "tug"))
    heatmaps = [
        replace(heatmap(10 * index + len(layer), index, name, layer), probability=index / 20)  # not in their order
        for (index, name), layer in product(classes, layers)
    ]
    text = export_page(folder / "page.html", heatmaps, layer="features").read_text("utf-8")
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    script = re.search(r'<script type="module">(.*?)</script>', text, re.DOTALL)
    assert data is not None
    assert script is not None
    module = folder / "page.mjs"
    module.write_text(script[1], encoding="utf-8")
    return {"page": str(module), "pageData": data[1], "pageLayer": "features"}
