"""Puts `torchvision_ops` into the site-packages of the interpreter that runs this file: `make setup` calls it."""

from __future__ import annotations

import shutil
import sysconfig
from pathlib import Path


def main() -> None:
    site_packages = Path(sysconfig.get_path("purelib"))
    shutil.copyfile(Path(__file__).with_name("torchvision_ops.py"), site_packages / "torchvision_ops.py")
    (site_packages / "torchvision_ops.pth").write_text("import torchvision_ops\n")


if __name__ == "__main__":
    main()
