"""The page in headless Chromium draws everything at any width, light and dark."""

import json
import re
import shutil
import subprocess

import matplotlib.image
import pytest

from tests.support.commands import ok

pytestmark = pytest.mark.slow

_PROBE = """<script>addEventListener("load", () => setTimeout(() => {
  const root = document.documentElement, all = (what) => [...document.querySelectorAll(what)]
  const big = () => document.querySelector("[data-figure]")?.textContent
  const sizes = {wide: root.scrollWidth, inner: innerWidth, svg: all("svg").length}
  const marks = (one) => one.querySelectorAll("path,rect,circle").length
  const size = (one) => parseFloat(getComputedStyle(one).fontSize)
  sizes.empty = all("svg").filter((one) => marks(one) < 3).length
  sizes.least = Math.min(...all("svg text").map(size))
  sizes.first = big(), document.querySelector("[data-row]")?.click(), sizes.chosen = big()
  const dots = document.querySelectorAll("[data-chart=readouts] .legend i")
  sizes.colours = new Set([...dots].map((one) => getComputedStyle(one).backgroundColor)).size
  const target = document.querySelector("[data-chart=readouts] circle")?.getBoundingClientRect()
  if (target) document.querySelector("[data-chart=readouts] svg").dispatchEvent(new PointerEvent(
    "pointermove", {clientX: target.x + target.width / 2, clientY: target.y + target.height / 2}))
  sizes.tip = document.getElementById("tip")?.textContent
  parent.postMessage(JSON.stringify(sizes), "*")
}, 300))</script>"""
# No window is narrower than 500 pixels, a frame can be.
_FRAME = """<!doctype html><body style="margin: 0"><script>
  addEventListener("message", event => document.body.dataset.probe = event.data)
</script><iframe src="probed.html" style="border: 0; width: {width}px; height: 2400px"></iframe>"""


def look(page, folder, *, width, dark=False):
    """Sizes of ``page`` in a window, its console output, and a screenshot."""
    browser = shutil.which("chromium")
    assert browser, "chromium is missing; `make setup-browser` brings it"
    (folder / "probed.html").write_text(page.replace("</head>", f"{_PROBE}</head>"))
    frame = folder / "frame.html"
    frame.write_text(_FRAME.format(width=width))
    command = [
        browser,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        f"--user-data-dir={folder / 'profile'}",
        f"--blink-settings=preferredColorScheme={0 if dark else 1}",
        "--window-size=1280,2400",
        "--hide-scrollbars",
        "--enable-logging=stderr",
        "--virtual-time-budget=2000",
    ]
    how = {"capture_output": True, "text": True, "timeout": 120, "check": True}
    shown = subprocess.run([*command, "--dump-dom", str(frame)], **how)
    picture = folder / f"{width}-{dark}.png"
    subprocess.run([*command, f"--screenshot={picture}", str(frame)], **how)
    probe = re.search(r'data-probe="(.*?)"', shown.stdout)[1].replace("&quot;", '"')
    console = [line for line in shown.stderr.splitlines() if "CONSOLE" in line]
    return json.loads(probe), console, matplotlib.image.imread(picture)


def test_comparison(capsys, tmp_path):
    small = ("--task", "digits", "--neurons", 16, "--lanes", 2, "--epochs", 1, "--samples", 1)
    ok(capsys, "compare", "-o", tmp_path / "out", "--synapses", "1.0,0.5", "--no-build", *small)
    page = (tmp_path / "out" / "index.html").read_text()
    rows = json.loads((tmp_path / "out" / "results.json").read_text())["rows"]

    def figure(row):
        return f"{100 * row['metric_integer']:.1f} %"

    for width in (390, 1280):
        for dark in (False, True):
            sizes, console, picture = look(page, tmp_path, width=width, dark=dark)
            assert console == []
            assert sizes["wide"] <= sizes["inner"] == width
            assert sizes["svg"] >= 8 and sizes["empty"] == 0
            assert sizes["least"] >= 12  # pixels of the smallest text of a chart
            assert sizes["first"] == figure(rows[1]) and sizes["chosen"] == figure(rows[0])
            assert sizes["colours"] == 10  # one for each digit
            assert sizes["tip"].startswith("class ")
            paper = picture[-1, width // 2, :3].mean()  # below the text, at the edge
            assert (paper < 0.3) == dark
            assert picture[:, :, 0].std() > 0.02  # there is something on it


def test_can_fail(tmp_path):
    page = (
        "<html><head></head><body><script>console.error('x')</script>"
        "<div style='width: 3000px'>wide</div></body></html>"
    )
    sizes, console, _ = look(page, tmp_path, width=1280)
    assert len(console) == 1 and sizes["wide"] > sizes["inner"]
