"""A headless Chromium, controlled over a pipe in the DevTools protocol.

No driver package is used: it would be larger than all other checks together, and any package in the
environment changes the documentation corpus.
"""

import itertools
import json
import os
import re
import select
import subprocess
import time
from pathlib import Path

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PATIENCE = 60  # seconds to wait for any answer
KEYS = {"Tab": 9, "Enter": 13, "Escape": 27, " ": 32}
KEYS |= {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}


class Browser:
    """A headless Chromium with one page."""

    def __init__(self, program: str, profile: Path) -> None:
        commands, self._input = os.pipe()
        self._output, answers = os.pipe()
        options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"]
        options += ["--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank"]
        self.process = subprocess.Popen(
            # It reads commands from descriptor 3 and writes answers to 4.
            ["bash", "-c", f'exec "$@" 3<&{commands} 4>&{answers}', "bash", program, *options],
            pass_fds=(commands, answers),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(commands)
        os.close(answers)
        self._ids, self._buffer, self._session, self.events = itertools.count(1), b"", None, []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log", "Accessibility"):
            self.send(f"{domain}.enable")
        self.send("Page.setLifecycleEventsEnabled", enabled=True)

    def close(self) -> None:
        """End the browser."""
        self.process.kill()
        self.process.wait()
        os.close(self._input)
        os.close(self._output)

    def send(self, method: str, **parameters):
        """Send a command and return its result; events received meanwhile are kept in `events`."""
        number = next(self._ids)
        command = {"id": number, "method": method, "params": parameters}
        if self._session:
            command["sessionId"] = self._session
        os.write(self._input, json.dumps(command).encode() + b"\0")
        while True:
            message = self._next()
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]
            self.events.append(message)

    def _next(self):
        end = time.monotonic() + 2 * PATIENCE
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._output], [], [], max(0.0, end - time.monotonic()))
            read = os.read(self._output, 1 << 16) if ready else b""
            if not read:
                raise EOFError("the browser does not answer")
            self._buffer += read
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def open(self, address: str, width: int = 1300, height: int = 900, phone: bool = False) -> None:
        """Load an address in a window of this size, and wait until it is loaded."""
        self.send("Emulation.setEmulatedMedia", media="", features=[])
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=phone,
        )
        # An address that differs only in its fragment would not be loaded again.
        for place in ("about:blank", address):
            self.events.clear()
            loader = self.send("Page.navigate", url=place)["loaderId"]
            loaded = {"name": "load", "loaderId": loader}
            while not any(loaded.items() <= event.get("params", {}).items() for event in self.events):
                self.events.append(self._next())

    def js(self, expression: str):
        """The value of an expression in the page."""
        answer = self.send(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True, userGesture=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def until(self, expression: str) -> None:
        """Wait until an expression holds in the page."""
        poll = f"(function poll() {{ ({expression}) ? done() : setTimeout(poll, 20) }})()"
        end = f"setTimeout(() => fail(Error({json.dumps(expression)})), {1000 * PATIENCE})"
        self.js(f"new Promise((done, fail) => {{ {poll}; {end} }})")

    def point(self, selector: str, *actions: str) -> None:
        """Scroll an element into the middle of the window, move the mouse to its centre, and act there."""
        x, y = self.js(
            f"(() => {{ const it = document.querySelector({json.dumps(selector)});"
            "it.scrollIntoView({block: 'center', inline: 'center', behavior: 'instant'});"
            "const {x, y, width, height} = it.getBoundingClientRect();"
            "return [x + width / 2, y + height / 2] })()"
        )
        for action in ("Moved", *actions):
            self.send(
                "Input.dispatchMouseEvent",
                type=f"mouse{action}",
                x=x,
                y=y,
                button="left" if actions and action != "Moved" else "none",
                clickCount=int(action != "Moved"),
            )

    def click(self, selector: str) -> None:
        """Click on an element."""
        self.point(selector, "Pressed", "Released")

    def press(self, key: str) -> None:
        """Press a key."""
        text = {"text": {"Enter": "\r"}.get(key, key)} if key in ("Enter", " ") else {}
        event = {"key": key, "code": key, "windowsVirtualKeyCode": KEYS[key]}
        self.send("Input.dispatchKeyEvent", type="keyDown", **event, **text)
        self.send("Input.dispatchKeyEvent", type="keyUp", **event)

    def complaints(self) -> list[str]:
        """Errors and warnings since the page was opened, and external addresses that it requested."""
        found = []
        for event in self.events:
            method, params = event["method"], event.get("params", {})
            if method == "Runtime.exceptionThrown" or (method == "Log.entryAdded"):
                found.append(json.dumps(params))
            elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
                found.append(json.dumps(params["args"]))
            elif method == "Network.requestWillBeSent" and not re.match(
                "file:|data:", params["request"]["url"]
            ):
                found.append(params["request"]["url"])
        return found
