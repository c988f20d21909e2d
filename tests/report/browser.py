# SPDX-License-Identifier: PostgreSQL
"""A headless Chromium over its debugging pipe (descriptors 3 and 4, JSON messages that end in NUL): nothing but Python and Debian's browser.

    with Browser() as browser, browser.page(width=390, height=844, scheme="dark") as page:
        page.open("/path/of/report.html")
        page.run("document.title")           # the value of an expression, JSON
        page.complaints                      # console messages, exceptions, requests for anything but the file
"""
import base64
import json
import os
import pathlib
import select
import shutil
import subprocess
import tempfile
import time

TIMEOUT = 60


class BrowserError(Exception):
    pass


def find():
    """Chromium's path, or None."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class Browser:
    def __enter__(self):
        self.profile = tempfile.mkdtemp(prefix="bascule-browser-")
        to_read, self.to = os.pipe()
        self.back, to_write = os.pipe()
        # The shell puts the two pipes where Chromium looks for them; exec leaves no shell behind.
        self.process = subprocess.Popen(
            ["sh", "-c", f'exec "$@" 3<&{to_read} 4>&{to_write}', "sh", find(), "--headless", "--remote-debugging-pipe", "--no-sandbox",
             "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
             "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars", f"--user-data-dir={self.profile}", "about:blank"],
            pass_fds=(to_read, to_write), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        os.close(to_read)
        os.close(to_write)
        self.buffer, self.last, self.listeners = b"", 0, {}
        return self

    def __exit__(self, *_):
        try:
            self.call("Browser.close")
        except (BrowserError, OSError):
            pass
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.to)
        os.close(self.back)
        shutil.rmtree(self.profile, ignore_errors=True)

    def receive(self, until):
        while b"\0" not in self.buffer:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.back], [], [], left)[0]:
                raise BrowserError(f"the browser said nothing for {TIMEOUT} s")
            part = os.read(self.back, 1 << 20)
            if not part:
                raise BrowserError("the browser has ended")
            self.buffer += part
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def listen(self, until):
        """Takes one message in, and tells the page it is about."""
        message = self.receive(until)
        listener = self.listeners.get(message.get("sessionId"))
        if listener and "method" in message:
            listener(message["method"], message["params"])
        return message

    def call(self, method, session=None, **params):
        self.last += 1
        message = {"id": self.last, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.to, data):]
        until = time.monotonic() + TIMEOUT
        while True:
            answer = self.listen(until)
            if answer.get("id") == self.last:
                if "error" in answer:
                    raise BrowserError(f"{method}: {answer['error']['message']}")
                return answer["result"]

    def page(self, **how):
        return Page(self, **how)


class Page:
    def __init__(self, browser, width=1300, height=1000, scheme="light"):
        self.browser, self.complaints, self.loaded = browser, [], False
        self.target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=self.target, flatten=True)["sessionId"]
        browser.listeners[self.session] = self.heard
        for domain in "Page", "Runtime", "Network", "Log":
            self.call(f"{domain}.enable")
        self.size(width, height)
        self.media(scheme)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.browser.listeners.pop(self.session, None)
        self.browser.call("Target.closeTarget", targetId=self.target)

    def call(self, method, **params):
        return self.browser.call(method, self.session, **params)

    def size(self, width, height):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))")  # what it redraws by itself

    def media(self, scheme, kind="screen"):
        self.call("Emulation.setEmulatedMedia", media=kind, features=[{"name": "prefers-color-scheme", "value": scheme}])

    def heard(self, method, params):
        if method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.complaints.append(f"console: {params['args']}"[:300])
        elif method == "Runtime.exceptionThrown":
            d = params["exceptionDetails"]
            self.complaints.append(f"exception: {d.get('exception', {}).get('description', d['text'])}"[:300])
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.complaints.append(f"log: {params['entry']['text']}"[:300])
        elif method == "Network.requestWillBeSent" and not params["request"]["url"].startswith(("file://", "about:")):
            self.complaints.append(f"asked for {params['request']['url'][:100]}")
        elif method == "Page.javascriptDialogOpening":
            self.complaints.append(f"dialog: {params['message']}"[:300])
        elif method == "Page.loadEventFired":
            self.loaded = True

    def open(self, path):
        self.loaded = False
        self.call("Page.navigate", url=pathlib.Path(path).resolve().as_uri())
        until = time.monotonic() + TIMEOUT
        while not self.loaded:
            self.browser.listen(until)

    def run(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            d = answer["exceptionDetails"]
            raise BrowserError(d.get("exception", {}).get("description", d["text"]))
        return answer["result"].get("value")

    def keys(self, *names):
        for name in names:
            text = {"text": name} if len(name) == 1 else {}
            for kind in "keyDown", "keyUp":
                self.call("Input.dispatchKeyEvent", type=kind, key=name, **(text if kind == "keyDown" else {}))

    def mouse(self, kind, x, y, **more):
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def picture(self, path, whole=True):
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"clip": {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 16000), "scale": 1}} if whole else {}
        data = self.call("Page.captureScreenshot", captureBeyondViewport=whole, **clip)["data"]
        pathlib.Path(path).write_bytes(base64.b64decode(data))

    def pdf(self, path):
        data = self.call("Page.printToPDF", preferCSSPageSize=True, printBackground=False)["data"]
        pathlib.Path(path).write_bytes(base64.b64decode(data))
