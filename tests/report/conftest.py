"""A real browser without a window, driven through a pipe; no package and no network is needed."""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import sys
import time

import pytest

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--remote-debugging-pipe",
]
# Chromium reads from file 3 and writes to file 4.
CONNECT = """import os, sys
os.dup2(int(sys.argv[1]), 3), os.dup2(int(sys.argv[2]), 4)
os.execvp(sys.argv[3], sys.argv[3:])"""
PATIENCE = 60  # seconds for one answer


class Browser:
    """Chromium, told what to do in its own debugging protocol: JSON between zero bytes."""

    def __init__(self, program, profile):
        to_child, self.write = os.pipe()
        self.read, from_child = os.pipe()
        high = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (to_child, from_child)]
        command = [program, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        self.process = subprocess.Popen(
            [sys.executable, "-c", CONNECT, *map(str, high), *command],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=high,
        )
        for end in (to_child, from_child, *high):
            os.close(end)
        self.count, self.rest, self.events, self.session = 0, b"", [], None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Performance.enable", timeDomain="threadTicks")

    def call(self, method, **params):
        """Answer to a command."""
        self.count += 1
        message = {"id": self.count, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.write, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + PATIENCE
        while True:
            answer = self._next(deadline)
            if answer.get("id") == self.count:
                assert "error" not in answer, (method, answer)
                return answer["result"]
            self.events.append(answer)

    def _next(self, deadline):
        while b"\0" not in self.rest:
            left = deadline - time.monotonic()
            ready, _, _ = select.select([self.read], [], [], max(left, 0))
            assert ready, "the browser does not answer"
            found = os.read(self.read, 1 << 20)
            assert found, "the browser has gone"
            self.rest += found
        message, _, self.rest = self.rest.partition(b"\0")
        return json.loads(message)

    def open(self, path, *, dark=False, width=1280, height=900):
        """Open a file, and wait until the page says that it is ready; the milliseconds it took."""
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.call("Emulation.setEmulatedMedia", features=scheme)
        self.resize(width, height)
        self.events.clear()
        self.call("Page.navigate", url=path.as_uri())
        return int(self.wait("document.documentElement?.dataset.ready"))

    def resize(self, width, height):
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **size)

    def run(self, code):
        """Value of an expression in the page."""
        options = {"returnByValue": True, "awaitPromise": True}
        answer = self.call("Runtime.evaluate", expression=code, **options)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, code, seconds=PATIENCE):
        """Wait until an expression is true; its value."""
        deadline = time.monotonic() + seconds
        while not (value := self.run(code)):
            assert time.monotonic() < deadline, f"waited in vain for {code}: {self.complaints()}"
            time.sleep(0.02)
        return value

    def seconds_of_cpu(self):
        """What the page has computed since it was opened: the same on a busy machine."""
        metrics = self.call("Performance.getMetrics")["metrics"]
        return {metric["name"]: metric["value"] for metric in metrics}["TaskDuration"]

    def frames(self, count=3):
        """Let the page be drawn a few times."""
        self.run(
            f"(async () => {{ for (let i = 0; i < {count}; i += 1)"
            "await new Promise(requestAnimationFrame); })()"
        )

    def text(self, selector):
        return self.run(f"document.querySelector({json.dumps(selector)}).innerText")

    def click(self, selector):
        """Click in the middle of an element, with a mouse."""
        place = self.run(
            f"(() => {{ const box = document.querySelector({json.dumps(selector)});"
            "box.scrollIntoView({block: 'center'}); const {x, y, width, height} ="
            "box.getBoundingClientRect(); return [x + width / 2, y + height / 2]; })()"
        )
        self.click_at(*place)

    def click_at(self, x, y):
        for kind in ("mousePressed", "mouseReleased"):
            options = {"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1}
            self.call("Input.dispatchMouseEvent", **options)

    def type(self, selector, text):
        self.run(f"document.querySelector({json.dumps(selector)}).focus()")
        self.call("Input.insertText", text=text)

    def key(self, name):
        for kind in ("keyDown", "keyUp"):
            codes = {"Enter": 13, "ArrowDown": 40, "Escape": 27}
            options = {"key": name, "windowsVirtualKeyCode": codes[name]}
            self.call("Input.dispatchKeyEvent", type=kind, **options)

    def screenshot(self, path):
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def complaints(self):
        """Errors and warnings of the page since it was opened."""
        self.run("0")  # what was said before this answer has arrived
        found = []
        for event in self.events:
            params = event.get("params", {})
            if event.get("method") == "Runtime.exceptionThrown":
                found.append(params["exceptionDetails"])
            elif event.get("method") == "Log.entryAdded":
                found.append(params["entry"])
            elif event.get("method") == "Runtime.consoleAPICalled":
                found.append(params["args"])
        return found

    def requests(self):
        """Addresses that were asked for, beside the page itself and what is within it."""
        asked = [
            event["params"]["request"]["url"]
            for event in self.events
            if event.get("method") == "Network.requestWillBeSent"
        ]
        return [url for url in asked[1:] if not url.startswith(("data:", "blob:"))]

    def close(self):
        try:
            self.session = None
            self.call("Browser.close")
        except (AssertionError, OSError):
            self.process.kill()
        self.process.wait(PATIENCE)
        os.close(self.read)
        os.close(self.write)


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """Chromium with a fresh profile; tests that need it skip where it is absent."""
    names = ("chromium", "chromium-browser", "google-chrome")
    program = next((found for name in names if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip("no Chromium here (Debian: apt-get install chromium)")
    found = Browser(program, tmp_path_factory.mktemp("profile"))
    yield found
    found.close()
