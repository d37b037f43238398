# hubmerge: merge language models and publish them
# SPDX-License-Identifier: Apache-2.0

"""Virtual environments inside of this one, for packages that cannot be in one environment together."""

import re
import subprocess
import sys
import venv
from pathlib import Path


def programs_of(requirement):
    """The folder of the programs of an environment that has what is required; made on first use."""
    name = re.sub(r"[^a-z0-9.]+", "-", requirement.lower()).strip("-")
    folder = Path(sys.prefix) / "others" / name
    if not (folder / "complete").exists():
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([folder / "bin/pip", "install", "--quiet", *requirement.split()], check=True)
        (folder / "complete").touch()
    return folder / "bin"
