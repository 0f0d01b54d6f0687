"""Drivers for user actions in a front end and for their visible results."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from playwright.sync_api import ConsoleMessage, Locator, Page, Request, WebSocket

SECONDS = 60_000
# Errors logged by the front ends themselves.
ALLOWED = (
    "Failed to load resource: the server responded with a status of 404",  # favicons and optional settings
    "net::ERR_ABORTED",
    "net::ERR_NAME_NOT_RESOLVED",  # Voila's icon fonts; allowed hosts are checked below
    "@jupyter-notebook/lab-extension/static/remoteEntry",  # Voila loads Notebook's incompatible extension
    "net::ERR_INTERNET_DISCONNECTED",
    "Cannot read properties of undefined (reading 'schema')",  # Notebook 7's own menu of settings
    "Failed to fetch",  # Notebook 7 requests a kernel's name while it starts
)


class Watch:
    """Recorder of console errors, requests to other machines, and messages to and from the kernel."""

    def __init__(self, page: Page, allowed_hosts: tuple[str, ...] = ()) -> None:
        self.errors: list[str] = []
        self.outside: list[str] = []
        self.sent: list[bytes] = []
        self.received: list[bytes] = []
        self._allowed_hosts = ("127.0.0.1", "localhost", *allowed_hosts)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self._note(str(error)))
        page.on("request", self._request)
        page.on("websocket", self._websocket)

    def comm_messages(self) -> list[bytes]:
        return [message for message in self.sent if b"comm_msg" in message]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._note(message.text)

    def _note(self, text: str) -> None:
        if not any(allowed in text for allowed in ALLOWED):
            self.errors.append(text)

    def _request(self, request: Request) -> None:
        scheme, _, rest = request.url.partition("://")
        if scheme in ("http", "https", "ws", "wss") and rest.split("/")[0].split(":")[0] not in self._allowed_hosts:
            self.outside.append(request.url)

    def _websocket(self, websocket: WebSocket) -> None:
        websocket.on("framesent", lambda data: self.sent.append(_bytes(data)))
        websocket.on("framereceived", lambda data: self.received.append(_bytes(data)))


class Driver:
    """Driver of the panel or page in a browser, by its visible elements."""

    def __init__(self, page: Page, watch: Watch, state_file: Path | None = None) -> None:
        self.page, self.watch, self._state_file = page, watch, state_file
        self.root = page.locator(".gcw-view").last

    def wait_until_painted(self) -> None:
        self.page.wait_for_selector(".gcw-frame canvas[data-paints]", timeout=SECONDS)
        self.settle()

    def settle(self) -> None:
        """Wait until no repaint has happened for a while."""
        before = None
        for _ in range(100):
            now = self.painted()
            if now == before:
                return
            before = now
            self.page.wait_for_timeout(150)

    def painted(self) -> str:
        return str(
            self.page.evaluate(
                "[...document.querySelectorAll('.gcw-frame canvas')]"
                ".map(canvas => canvas.dataset.seq + ':' + canvas.dataset.paints).join()"
            )
        )

    def sequence(self) -> int:
        return int(self.frames().first.locator("canvas").get_attribute("data-seq") or -1)

    def wait_for_answer(self, after: int) -> None:
        self.page.wait_for_function(
            "after => Number(document.querySelector('.gcw-frame canvas')?.dataset.seq) > after",
            arg=after,
            timeout=SECONDS,
        )
        self.settle()

    def frames(self) -> Locator:
        return self.page.locator(".gcw-frame")

    def pixels(self, index: int = 0) -> NDArray[np.uint8]:
        address = self.frames().nth(index).locator("canvas").evaluate("canvas => canvas.toDataURL('image/png')")
        data = np.frombuffer(base64.b64decode(address.split(",")[1]), np.uint8)
        return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR_RGB), np.uint8)

    def label(self, text: str) -> Locator:
        return self.page.get_by_label(text, exact=True)

    def choose(self, label: str, value: str) -> None:
        self.label(label).select_option(value=value)
        self.settle()

    def choose_text(self, label: str, text: str) -> None:
        """Select a menu option by a part of its text, and wait for the kernel's answer."""
        before = self.sequence()
        menu = self.label(label)
        options = menu.locator("option").all_text_contents()
        texts = [option.replace("\xa0", " ") for option in options]  # ipywidgets uses non-breaking spaces
        menu.select_option(index=next(i for i, option in enumerate(texts) if text in option))
        self.wait_for_answer(before)

    def slide(self, label: str, value: float) -> None:
        self.label(label).evaluate(
            "(range, value) => { range.value = value; range.dispatchEvent(new Event('input', {bubbles: true})); }",
            value,
        )
        self.settle()

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def drag(self, start: tuple[float, float], end: tuple[float, float], index: int = 0) -> None:
        """Drag between two points, x and y as fractions of the image."""
        self.frames().nth(index).scroll_into_view_if_needed()
        box = self.frames().nth(index).bounding_box()
        assert box is not None
        mouse = self.page.mouse
        points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end)]
        mouse.move(*points[0])
        mouse.down()
        mouse.move(*points[1], steps=5)
        mouse.up()

    def kernel(self) -> dict[str, Any]:
        """Return the panel's traits as last written by the kernel."""
        assert self._state_file is not None
        state: dict[str, Any] = json.loads(self._state_file.read_text(encoding="utf-8"))
        return state

    def wait_for_kernel(self, **expected: Any) -> None:
        for _ in range(100):
            state = self.kernel()
            if all(state[name] == value for name, value in expected.items()):
                return
            self.page.wait_for_timeout(100)
        raise AssertionError(f"the kernel has {self.kernel()}, not {expected}")


def _bytes(data: bytes | str) -> bytes:
    return data.encode() if isinstance(data, str) else data
