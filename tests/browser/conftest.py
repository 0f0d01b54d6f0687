from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.browser.driving import SECONDS, Driver, Watch
from tests.browser.servers import notebook, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
CELL = """
import json, os, pathlib
from gradcam_widgets import GradCAMPanel
panel = GradCAMPanel({arguments})
def write(_=None):
    names = ("layer", "target", "method", "compare", "other", "opacity", "colormap", "threshold", "evidence",
             "interpolation", "vmax", "fade", "guessing", "guess", "revealed", "error", "classifier")
    state = {{name: getattr(panel, name) for name in names}}
    state["edits"] = [[edit.kind, list(edit.box)] for edit in panel.edits]
    state["repr"] = repr(panel)
    target = pathlib.Path({state!r})
    target.with_suffix(".new").write_text(json.dumps(state), encoding="utf-8")
    os.replace(target.with_suffix(".new"), target)
write()
panel.observe(write)
panel
"""


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium, closed before other tests, because its running event loop would change the panel's debouncing."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        executable = None
    if executable is None:
        absent = "Chromium and Playwright are needed: install Debian's chromium and .[browser]"
        if os.environ.get("GRADCAM_WIDGETS_REQUIRE_BROWSER") == "1":
            pytest.fail(absent)
        pytest.skip(absent)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=FLAGS.split())
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., tuple[Page, Watch]]]:
    contexts = []

    def opened(width: int = 1400, scheme: str = "light", hosts: tuple[str, ...] = ()) -> tuple[Page, Watch]:
        context = browser.new_context(
            viewport={"width": width, "height": 1200}, color_scheme="dark" if scheme == "dark" else "light"
        )
        context.set_default_timeout(SECONDS)
        contexts.append(context)
        page = context.new_page()
        return page, Watch(page, hosts)

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def front_end(open_page: Callable[..., tuple[Page, Watch]], tmp_path: Path) -> Iterator[Callable[..., Driver]]:
    """A function that opens a panel, with arguments as Python code, in JupyterLab, Notebook 7 or Voila."""
    running = []

    def opened(kind: str, arguments: str, width: int = 1400, theme: str = "JupyterLab Light", more: str = "") -> Driver:
        folder = tmp_path / kind
        folder.mkdir()
        state = tmp_path / "state.json"
        file = notebook(folder / "panel.ipynb", CELL.format(arguments=arguments, state=str(state)) + more)
        target = file if kind == "voila" else folder
        server = serving(kind, target, tmp_path, theme)
        address = server.__enter__()
        running.append(server)
        page, watch = open_page(width, hosts=VOILA_FONTS if kind == "voila" else ())
        if kind == "voila":
            page.goto(address)
        else:
            page.goto(f"{address}/{'lab/tree' if kind == 'lab' else 'notebooks'}/panel.ipynb")
            run_all(page)
        driver = Driver(page, watch, state)
        driver.wait_until_painted()
        return driver

    yield opened
    for server in running:
        server.__exit__(None, None, None)


VOILA_FONTS = ("cdn.jsdelivr.net",)  # host of icon fonts in Voila's template, which works without them


def run_all(page: Page) -> None:
    page.wait_for_function("window.jupyterapp !== undefined", timeout=SECONDS)
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=SECONDS)
    page.wait_for_function(
        """() => { const widget = window.jupyterapp.shell.currentWidget;
            return widget?.sessionContext?.session?.kernel?.status === 'idle'; }""",
        timeout=SECONDS,
    )
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
