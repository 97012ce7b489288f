"""The environment that `make setup` makes."""

from __future__ import annotations

import subprocess
import sys


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)


def test_torchvision_imports_beside_this_torch() -> None:
    code = (
        "import torch, torchvision, torchvision.transforms, torchvision.datasets\n"
        "from torchvision.utils import make_grid\n"
        "assert make_grid(torch.rand(4, 1, 8, 8)).shape == (3, 12, 42)\n"
        "assert torchvision.transforms.ToTensor()\n"
        "assert torch.__version__.startswith('2.13.0') and torchvision.__version__.startswith('0.28.0')\n"
    )
    done = run(code)
    assert done.returncode == 0, done.stderr


def test_an_interpreter_that_does_not_need_torch_does_not_load_it() -> None:
    assert run("import sys; assert 'torch' not in sys.modules").returncode == 0


def test_an_operator_that_is_not_there_still_says_so() -> None:
    done = run("import torch, torchvision\ntorchvision.ops.nms(torch.rand(2, 4), torch.rand(2), 0.5)")
    assert done.returncode == 1
    assert "RuntimeError" in done.stderr or "NotImplementedError" in done.stderr
