# hubmerge: merge language models and publish them
# SPDX-License-Identifier: Apache-2.0

"""The pages of `hubmerge serve` in headless Chromium: pictures of them, light and dark, and what they load.

usage: serve_pages.py <folder of the programs> [folder for the pictures]

Skipped, and said so, without Chromium.
"""

import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

from local_hub import Check
from serve_wire import Client, Server

PLOT = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 120" width="400" height="120">
<rect width="400" height="120" fill="#00c800"/>
<path d="M10 100 L100 60 L200 80 L300 20 L390 40" fill="none" stroke="#333" stroke-width="3"/>
<script>document.documentElement.setAttribute("fill", "red")</script></svg>
"""

CARD = """---
license: apache-2.0
base_model: [acme/base, acme/math]
pipeline_tag: text-generation
tags: [merge, hubmerge]
---
# Aurora 7B

A merge of **two** models by `ties`, made for the pictures of this check.

![how far each layer has moved](plots/drift.svg)

| layer | drift | cosine |
|---|--:|--:|
| embedding | 0.013 | 0.9991 |
| 0 – 15 | 0.112 | 0.9842 |
| 16 – 31 | 0.204 | 0.9517 |

```yaml
merge_method: ties
models:
  - model: acme/math
    parameters: {weight: 0.6, density: 0.5}
```

> Outputs may be wrong.

<details><summary>More</summary>Much more.</details>

- [x] merged
- [ ] evaluated

<script>document.body.innerHTML = "<div style='background:red;height:2000px'></div>"</script>
<img src="x" onerror="document.body.style.background='red'">
"""


def pixels(path):
    """The colours of a picture, as rows of (r, g, b)."""
    data = path.read_bytes()
    place, raw, shape = 8, b"", None
    while place < len(data):
        length, kind = struct.unpack(">I4s", data[place:place + 8])
        chunk = data[place + 8:place + 8 + length]
        if kind == b"IHDR":
            shape = struct.unpack(">IIBB", chunk[:10])
        elif kind == b"IDAT":
            raw += chunk
        place += 12 + length
    width, height, _, colour = shape
    step = {2: 3, 6: 4}[colour]
    raw, rows, above = zlib.decompress(raw), [], bytearray(width * step)
    for y in range(height):
        start = y * (width * step + 1)
        filtered, line = raw[start], bytearray(raw[start + 1:start + 1 + width * step])
        for i in range(len(line)):
            left = line[i - step] if i >= step else 0
            up, corner = above[i], above[i - step] if i >= step else 0
            if filtered == 1:
                line[i] = line[i] + left & 255
            elif filtered == 2:
                line[i] = line[i] + up & 255
            elif filtered == 3:
                line[i] = line[i] + (left + up) // 2 & 255
            elif filtered == 4:
                guess = left + up - corner
                near = min((abs(guess - left), 0, left), (abs(guess - up), 1, up), (abs(guess - corner), 2, corner))
                line[i] = line[i] + near[2] & 255
        rows.append([tuple(line[i:i + 3]) for i in range(0, len(line), step)])
        above = line
    return rows


def share(rows, test):
    return sum(test(*pixel) for row in rows for pixel in row) / sum(map(len, rows))


def main():
    programs = sys.argv[1]
    pictures = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not chromium:
        print("SKIP  there is no chromium here")
        return
    check = Check()
    with tempfile.TemporaryDirectory(prefix="hubmerge-pages-") as folder:
        folder = Path(folder)
        pictures = pictures or folder
        pictures.mkdir(parents=True, exist_ok=True)
        server = Server(programs, folder / "hub")
        client = Client(server)
        for name in ("acme/base", "acme/math", "acme/aurora-7b", "labs/empty"):
            client.create(name)
        header = b'{"w":{"dtype":"BF16","shape":[4096,4096],"data_offsets":[0,33554432]}}'
        weights = struct.pack("<Q", len(header)) + header + bytes(33554432)
        client.commit("acme/aurora-7b", "Publish Aurora 7B",
                      {"README.md": CARD, "plots/drift.svg": PLOT, "config.json": '{"model_type": "llama"}'},
                      {"model.safetensors": client.upload("acme/aurora-7b", weights)})

        def look(name, path, dark=False, height=1300):
            picture = pictures / f"{name}.png"
            command = [
                chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                "--disable-background-networking", f"--user-data-dir={folder / 'profile'}",
                f"--screenshot={picture}", f"--window-size=1200,{height}",
                "--blink-settings=preferredColorScheme=" + ("0" if dark else "1"),
                # Whatever is not this machine does not exist.
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", server.url + path]
            done = subprocess.run(command, capture_output=True, text=True, timeout=120)
            if not picture.exists():
                raise SystemExit(f"FAIL  {chromium} made no picture of {path}:\n{done.stderr[-2000:]}")
            return pixels(picture)

        green = lambda r, g, b: (r, g, b) == (0, 200, 0)  # noqa: E731
        red = lambda r, g, b: r > 200 and g < 60 and b < 60  # noqa: E731
        light = look("card-light", "/acme/aurora-7b")
        check("the card's plot is shown", 0.01 < share(light, green) < 0.2, f"{share(light, green):.1%}")
        check("nothing of the card has run", share(light, red) < 0.001)
        check("light: the page is", share(light, lambda r, g, b: r + g + b > 690) > 0.5)
        dark = look("card-dark", "/acme/aurora-7b", dark=True)
        check("dark: the page is", share(dark, lambda r, g, b: r + g + b < 150) > 0.5)
        for name, path in [("home", "/"), ("files", "/acme/aurora-7b/tree/main"),
                           ("commits", "/acme/aurora-7b/commits/main"),
                           ("commit", "/acme/aurora-7b/commit/main"),
                           ("file", "/acme/aurora-7b/blob/main/README.md"),
                           ("empty", "/labs/empty")]:
            rows = look(name, path, height=800)
            background = rows[-1][0]
            inked = share(rows, lambda *pixel: pixel != background)
            check(f"the page {path} has something on it", 0.01 < inked < 0.9, f"{inked:.1%}")
        # The pages name nothing outside of the hub but what a card links to.
        _, page = Client(server).request("GET", "/acme/aurora-7b")
        loaded = re.findall(r'(?:src|href)="(https?:[^"]*)"', page.decode())
        check("nothing is loaded from anywhere else", not loaded, ", ".join(loaded))
        server.stop()
    check.finish()


if __name__ == "__main__":
    main()
