"""What the generator draws with the weights that come with the sheet."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from torch import Tensor

from gapcheck import assert_tensor, probe

CHECKPOINT = Path(__file__).parents[2] / "solutions" / "gan" / "generator_checkpoint.safetensors"
COLUMNS, ROWS = 8, 3


@probe
def samples(settings: dict[str, int], parts: list[tuple[str, Tensor]], noise: Tensor) -> object:
    from lib.model_gan import Generator

    generator = Generator(**settings)
    unused = list(parts)
    with torch.no_grad():
        for name, tensor in generator.state_dict().items():
            for i, (kind, value) in enumerate(unused):
                if kind == name.rpartition(".")[2] and value.shape == tensor.shape:
                    tensor.copy_(unused.pop(i)[1])
                    break
        return generator.eval()(noise)


def picture_of_generated_flowers() -> NDArray[np.uint8]:
    """What the generator draws with the weights that come with the sheet (`Generator`)"""
    with safe_open(CHECKPOINT, framework="pt") as stored:
        settings = {name: int(value) for name, value in stored.metadata().items()}
        parts = [(name.rpartition(".")[2], stored.get_tensor(name)) for name in stored.keys()]  # noqa: SIM118
    noise = torch.randn(COLUMNS * ROWS, settings["latent_size"], 1, 1, generator=torch.Generator().manual_seed(1))
    drawn = samples(settings, parts, noise)
    images = assert_tensor(drawn, (COLUMNS * ROWS, 3, 32, 32), what="the generator's pictures").double()
    pixels = ((images + 1) / 2).clamp(0, 1).permute(0, 2, 3, 1).numpy() * 255
    rows = pixels.astype(np.uint8).reshape(ROWS, COLUMNS, 32, 32, 3).transpose(0, 2, 1, 3, 4)
    return rows.reshape(ROWS * 32, COLUMNS * 32, 3)
