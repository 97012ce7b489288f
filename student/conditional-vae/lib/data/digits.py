"""Made data: grey images of digits, drawn from the fonts that matplotlib ships.

Each image is a digit of a random font, turned, sheared, scaled and moved at random, a little blurred, with noise on
its strokes. The same seed gives the same images on the same versions of Pillow and matplotlib.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from torch import Tensor
from torch.utils.data import Dataset

from lib.data.cache import Arrays, cached_arrays

IMAGE_SIZE = 28
CANVAS_SIZE = 112  # digits are drawn four times as large and then made smaller, which smooths their edges
FONTS = (
    "DejaVuSans",
    "DejaVuSans-Bold",
    "DejaVuSans-Oblique",
    "DejaVuSansMono",
    "DejaVuSerif",
    "DejaVuSerif-Bold",
    "DejaVuSerif-Italic",
    "STIXGeneral",
    "STIXGeneralBol",
    "STIXGeneralItalic",
    "cmr10",
    "cmss10",
    "cmtt10",
)


class MadeDigits(Dataset[tuple[Tensor, int]]):
    """Digits as (image, label): image (1, 28, 28) float32 in [0, 1], label 0 ... 9.

    Args:
        train: the 6,000 images to train with, or the 1,000 images to test with.
        seed: another seed draws other images.
    """

    def __init__(self, train: bool = True, seed: int = 0) -> None:
        size = 6000 if train else 1000
        part = "train" if train else "test"
        arrays = cached_arrays(
            f"digits-{part}-{size}-seed{seed}",
            # the part belongs to the seed: test images must not be training images
            lambda: draw_digits(size, np.random.default_rng([seed, int(train)])),
        )
        self.images = torch.from_numpy(arrays["images"]).float().div(255).unsqueeze(1)  # (n, 1, 28, 28)
        self.labels: list[int] = arrays["labels"].tolist()

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.images[index], self.labels[index]


def draw_digits(size: int, rng: np.random.Generator) -> Arrays:
    """Draw `size` digits, every class equally often.

    Returns:
        images: (size, 28, 28) uint8, white on black; labels: (size,) int64.
    """
    folder = Path(matplotlib.get_data_path(), "fonts", "ttf")
    glyphs = [[_draw_glyph(folder / f"{font}.ttf", digit) for font in FONTS] for digit in range(10)]
    labels = rng.permutation(np.arange(size) % 10)
    images = np.stack([_vary(glyphs[label][rng.integers(len(FONTS))], rng) for label in labels])
    return {"images": images, "labels": labels}


def _draw_glyph(font_file: Path, digit: int) -> Image.Image:
    """A digit in the middle of the canvas, 70 pixels high whatever the font."""
    height = 70
    font = ImageFont.truetype(font_file, 96)
    left, top, right, bottom = font.getbbox(str(digit))
    glyph = Image.new("L", (int(right - left), int(bottom - top)))
    ImageDraw.Draw(glyph).text((-left, -top), str(digit), fill=255, font=font)
    glyph = glyph.resize((round(glyph.width * height / glyph.height), height), Image.Resampling.BICUBIC)
    canvas = Image.new("L", (CANVAS_SIZE, CANVAS_SIZE))
    canvas.paste(glyph, ((CANVAS_SIZE - glyph.width) // 2, (CANVAS_SIZE - height) // 2))
    return canvas


def _vary(glyph: Image.Image, rng: np.random.Generator) -> np.ndarray:
    """Turn, shear, scale and move a digit, make it 28 pixels wide, and let its ink vary."""
    angle = rng.normal(0, 0.08)  # radians
    shear = rng.normal(0, 0.1)
    scale = rng.uniform(0.9, 1.1, size=2)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = turn @ np.array([[1.0, shear], [0.0, 1.0]]) @ np.diag(1 / scale)  # from the image to the glyph
    middle = np.full(2, (CANVAS_SIZE - 1) / 2)
    offset = middle - matrix @ (middle + rng.normal(0, 1.5, size=2))
    coefficients = (*matrix[0], offset[0], *matrix[1], offset[1])
    varied = glyph.transform(glyph.size, Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR)
    varied = varied.filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 2.5)))
    small = np.asarray(varied.resize((IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.BOX), dtype=np.float64)
    ink = rng.uniform(0.8, 1.0) + rng.normal(0, 0.05, size=small.shape)
    return np.clip(np.rint(small * ink), 0, 255).astype(np.uint8)
