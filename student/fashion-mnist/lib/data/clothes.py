"""Grey pictures of clothes in the ten classes of Fashion MNIST: drawn by the code below, or the real data set.

A drawn piece of clothing is a few closed outlines, one painted over the other. Each outline follows from some lengths
that are drawn anew for every picture: how wide the shoulders are, how long the sleeves, how high the heel. The cloth is
lighter in its middle, some cloth has stripes, and a little noise lies on all of it. The same seed gives the same
pictures on the same version of Pillow.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import Tensor
from torch.utils.data import Dataset
from torchvision import datasets, transforms

from lib.data.cache import Arrays, cached_arrays

DATA_FOLDER = Path("data")
CLASSES = ("t-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
IMAGE_SIZE = 28
CANVAS_SIZE = 112  # drawn four times as large and then made smaller, which smooths the edges

Points = list[tuple[float, float]]  # x to the right, y down; the picture reaches from 0 to 1
Layer = tuple[NDArray[np.float64], float]  # an outline and how bright it is, relative to the cloth
ClothesDataset = Dataset[tuple[Tensor, int]]


def load_clothes(download: bool = False) -> tuple[ClothesDataset, ClothesDataset]:
    """The training and the test pictures of clothes; says on one line which data set they are from.

    Args:
        download: fetch Fashion MNIST (about 30 MB) into data/ if it is not there.

    Returns:
        train, test: data sets of (picture (1, 28, 28) float32 in [0, 1], class 0 ... 9); drawn ones are
        `MadeClothes`.
    """
    try:
        train, test = (
            datasets.FashionMNIST(str(DATA_FOLDER), train=part, download=download, transform=transforms.ToTensor())
            for part in (True, False)
        )
    except RuntimeError:  # torchvision finds no data set
        if download:
            raise
        print("Data: clothes drawn by our own code; --download fetches the real Fashion MNIST")
        return MadeClothes(train=True), MadeClothes(train=False)
    print(f"Data: Fashion MNIST, from {DATA_FOLDER / 'FashionMNIST'}")
    return train, test


class MadeClothes(Dataset[tuple[Tensor, int]]):
    """Drawn clothes as (picture, class): picture (1, 28, 28) float32 in [0, 1], class 0 ... 9.

    Args:
        train: the 6,000 pictures to train with, or the 1,000 pictures to test with.
        seed: another seed draws other pictures.
    """

    def __init__(self, train: bool = True, seed: int = 0) -> None:
        size = 6000 if train else 1000
        part = "train" if train else "test"
        arrays = cached_arrays(
            f"clothes-{part}-{size}-seed{seed}",
            # the part belongs to the seed: test pictures must not be training pictures
            lambda: draw_clothes(size, np.random.default_rng([seed, int(train)])),
        )
        self.images = torch.from_numpy(arrays["images"]).float().div(255).unsqueeze(1)  # (n, 1, 28, 28)
        self.labels: list[int] = arrays["labels"].tolist()

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.images[index], self.labels[index]


def draw_clothes(size: int, rng: np.random.Generator) -> Arrays:
    """Draw `size` pieces of clothing, every class equally often.

    Returns:
        images: (size, 28, 28) uint8, light on black; labels: (size,) int64.
    """
    labels = rng.permutation(np.arange(size) % len(CLASSES))
    images = np.stack([_paint(PIECES[label](rng), rng) for label in labels])
    return {"images": images, "labels": labels}


def _paint(layers: list[Layer], rng: np.random.Generator) -> NDArray[np.uint8]:
    """(28, 28) the layers, one over the other, on cloth of random brightness and pattern."""
    canvas = Image.new("L", (CANVAS_SIZE, CANVAS_SIZE))
    pencil = ImageDraw.Draw(canvas)
    shift = rng.normal(0, 0.008, size=2)
    for outline, shade in layers:
        pixels = (outline + shift) * CANVAS_SIZE
        pencil.polygon([tuple(point) for point in pixels], fill=round(255 * shade))
    picture = np.asarray(canvas.resize((IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.BOX), dtype=np.float64)
    picture *= _cloth(rng) * rng.uniform(0.55, 1.0)
    picture *= 1 + rng.normal(0, 0.03, size=picture.shape)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def _cloth(rng: np.random.Generator) -> NDArray[np.float64]:
    """(28, 28) factors: folds make the sides darker, and a fifth of all cloth has stripes."""
    y, x = np.meshgrid(np.linspace(0, 1, IMAGE_SIZE), np.linspace(0, 1, IMAGE_SIZE), indexing="ij")
    cloth = 1 - rng.uniform(0.3, 0.9) * (x - rng.uniform(0.42, 0.58)) ** 2
    if rng.random() < 1 / 5:
        across = y if rng.random() < 0.5 else x
        cloth *= 1 - rng.uniform(0.15, 0.35) * (np.sin(2 * np.pi * across * rng.uniform(4, 8)) > 0)
    return cloth


# ---------------------------------------------------------------- outlines


def smooth(points: Points, rounds: int = 2) -> NDArray[np.float64]:
    """(n, 2) the closed outline with its corners cut (Chaikin 1974): each side keeps the half in its middle."""
    outline = np.array(points)
    for _ in range(rounds):
        following = np.roll(outline, -1, axis=0)
        quarters = np.stack([0.75 * outline + 0.25 * following, 0.25 * outline + 0.75 * following], axis=1)
        outline = quarters.reshape(-1, 2)
    return outline


def mirrored(half: Points, rounds: int = 2) -> NDArray[np.float64]:
    """(n, 2) an outline with a left and a right side: `half` holds distances from the middle, from top to bottom."""
    right = [(0.5 + x, y) for x, y in half]
    left = [(0.5 - x, y) for x, y in reversed(half)]
    return smooth(right + left, rounds)


def box(left: float, top: float, right: float, bottom: float) -> NDArray[np.float64]:
    """(4, 2) a rectangle."""
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])


def _top(rng: np.random.Generator, sleeve: float, hem: float, width: float) -> list[Layer]:
    """Body, sleeves and neck of what is worn above: `sleeve` is where its sleeves end, `hem` where its body ends."""
    shoulder, chest = width + rng.uniform(-0.02, 0.02), width - rng.uniform(0.03, 0.06)
    neck, top = rng.uniform(0.08, 0.12), rng.uniform(0.06, 0.1)
    spread = rng.uniform(0.12, 0.17) if sleeve < 0.5 else rng.uniform(0.1, 0.15)
    cuff = rng.uniform(0.07, 0.1)
    sleeve += rng.uniform(-0.03, 0.03)
    arm: Points = [(shoulder, top + 0.05), (shoulder + spread, sleeve), (shoulder + spread - cuff, sleeve + 0.03)]
    body: Points = [(neck, top), *arm, (chest, top + 0.24), *2 * [(chest + rng.uniform(-0.02, 0.03), hem)]]
    return [
        (mirrored(body, rounds=1), 1.0),
        (mirrored([(neck - 0.01, top - 0.03), (0.5 * neck, top + rng.uniform(0.04, 0.08))]), 0.25),
    ]


def t_shirt(rng: np.random.Generator) -> list[Layer]:
    return _top(rng, sleeve=0.36, hem=rng.uniform(0.86, 0.94), width=0.29)


def trousers(rng: np.random.Generator) -> list[Layer]:
    waist, hip, length = rng.uniform(0.13, 0.17), rng.uniform(0.17, 0.22), rng.uniform(0.92, 0.97)
    outside, inside, crotch = rng.uniform(0.14, 0.24), rng.uniform(0.02, 0.05), rng.uniform(0.34, 0.44)
    leg = outside + 0.03
    half: Points = [(waist, 0.04), (hip, 0.22), (leg, length), (inside + 0.02, length), (0.004, crotch)]
    return [(mirrored(half, rounds=1), 1.0), (mirrored([(waist, 0.04), (waist + 0.005, 0.08)], rounds=0), 0.7)]


def pullover(rng: np.random.Generator) -> list[Layer]:
    layers = _top(rng, sleeve=0.82, hem=rng.uniform(0.84, 0.92), width=0.28)
    hem = rng.uniform(0.84, 0.88)
    return [*layers, (box(0.5 - 0.22, hem - 0.04, 0.5 + 0.22, hem), 0.75)]  # the knitted border


def dress(rng: np.random.Generator) -> list[Layer]:
    strap, chest, waist = rng.uniform(0.07, 0.11), rng.uniform(0.12, 0.17), rng.uniform(0.08, 0.12)
    belt, length, flare = rng.uniform(0.34, 0.44), rng.uniform(0.92, 0.97), rng.uniform(0.17, 0.32)
    half: Points = [(strap, 0.04), (chest, 0.2), (waist, belt), (waist + 0.3 * (flare - waist), belt + 0.15)]
    return [
        (mirrored([*half, (flare, length)], rounds=1), 1.0),
        (mirrored([(strap - 0.04, 0.02), (0.02, rng.uniform(0.14, 0.2))]), 0.0),  # what is open between the straps
        (box(0.5 - waist, belt - 0.015, 0.5 + waist, belt + 0.015), rng.uniform(0.5, 1.0)),
    ]


def coat(rng: np.random.Generator) -> list[Layer]:
    hem = rng.uniform(0.93, 0.98)
    layers = _top(rng, sleeve=0.8, hem=hem, width=0.28)
    lapel = rng.uniform(0.3, 0.45)
    return [
        *layers,
        (mirrored([(0.09, 0.06), (0.15, 0.18), (0.01, lapel)], rounds=0), 0.8),
        (mirrored([(0.06, 0.05), (0.006, lapel)], rounds=0), 0.3),
        (box(0.493, lapel, 0.507, hem), 0.2),  # it opens at the front
    ]


def sandal(rng: np.random.Generator) -> list[Layer]:
    heel, toe, sole = rng.uniform(0.62, 0.72), rng.uniform(0.76, 0.82), rng.uniform(0.04, 0.07)
    under: Points = [(0.06, toe), (0.45, toe - 0.02), (0.94, heel), (0.94, heel + sole), (0.45, toe + sole)]
    layers = [
        (smooth([*under, (0.06, toe + sole)], rounds=1), 1.0),
        (box(0.8, heel + 0.03, 0.94, toe + sole), 0.9),
    ]
    bows = [(0.12, 0.4, rng.uniform(0.14, 0.2)), (0.34, 0.6, rng.uniform(0.18, 0.28)), (0.62, 0.93, 0.34)]
    first = rng.integers(2)
    for left, right, height in bows[first:]:
        foot, thick = float(np.interp(right, (0.45, 0.94), (toe - 0.02, heel))) + 0.02, rng.uniform(0.04, 0.06)
        middle = (left + right) / 2
        outer: Points = [(left, foot + 0.04), (middle, foot - height), (right, foot)]
        inner: Points = [
            (left + thick, foot + 0.02),
            (middle, foot - height + 1.6 * thick),
            (right - thick, foot - 0.02),
        ]
        layers = [(smooth(outer, rounds=1), rng.uniform(0.75, 1.0)), (smooth(inner, rounds=1), 0.0), *layers]
    return layers


def shirt(rng: np.random.Generator) -> list[Layer]:
    hem = rng.uniform(0.88, 0.95)
    layers = _top(rng, sleeve=rng.choice([0.42, 0.8]), hem=hem, width=0.26)
    buttons = [(box(0.485, y, 0.515, y + 0.03), 0.35) for y in np.linspace(0.25, hem - 0.1, 5)]
    collar = mirrored([(0.1, 0.05), (0.09, 0.16), (0.015, 0.12)], rounds=0)
    return [*layers, (collar, 0.85), (mirrored([(0.05, 0.04), (0.01, 0.14)], rounds=0), 0.2), *buttons]


def sneaker(rng: np.random.Generator) -> list[Layer]:
    ankle, toe, opening = rng.uniform(0.36, 0.44), rng.uniform(0.56, 0.62), rng.uniform(0.58, 0.68)
    ground = rng.uniform(0.72, 0.76)
    upper: Points = [(0.95, ankle), (0.96, ground), (0.04, ground), (0.05, toe), (0.3, toe - 0.04), (opening, ankle)]
    laces = [
        (smooth([(x, y), (x + 0.1, y - 0.03), (x + 0.1, y), (x, y + 0.03)], 0), 0.45)
        for x, y in ((0.34, toe - 0.02), (0.42, toe - 0.06), (0.5, toe - 0.1))
    ]
    return [
        (smooth(upper, rounds=1), 0.9),
        *laces,
        (box(0.05, ground - 0.02, 0.95, ground + 0.04), rng.uniform(0.6, 1)),
    ]


def bag(rng: np.random.Generator) -> list[Layer]:
    width, top, bottom = rng.uniform(0.3, 0.42), rng.uniform(0.36, 0.5), rng.uniform(0.84, 0.94)
    grip, height, thick = rng.uniform(0.14, 0.24), rng.uniform(0.2, 0.3), rng.uniform(0.03, 0.05)
    sides = rng.uniform(-0.06, 0.03)
    return [
        (mirrored([(grip * 0.6, top - height), (grip, top - 0.4 * height), (grip, top + 0.04)]), 0.8),
        (
            mirrored(
                [(grip * 0.6 - thick, top - height + thick), (grip - thick, top - 0.3 * height), (grip - thick, top)]
            ),
            0,
        ),
        (mirrored([(width + sides, top), (width, bottom)], rounds=1), 1.0),
        (mirrored([(width + sides - 0.02, top + 0.02), (0.5 * width, top + 0.45 * (bottom - top))], rounds=1), 0.8),
        (box(0.47, top + 0.36 * (bottom - top), 0.53, top + 0.48 * (bottom - top)), 0.3),  # the clasp
    ]


def ankle_boot(rng: np.random.Generator) -> list[Layer]:
    shaft, heel, toe = rng.uniform(0.06, 0.16), rng.uniform(0.02, 0.1), rng.uniform(0.6, 0.68)
    left, right, ground = rng.uniform(0.46, 0.54), rng.uniform(0.9, 0.94), rng.uniform(0.82, 0.86)
    upper: Points = [(left, shaft), (right, shaft), (right + 0.02, ground), (0.06, ground), (0.06, toe + 0.06)]
    return [
        (smooth([*upper, (0.24, toe), (left, 0.44)], rounds=1), 0.95),
        (box(right - 0.2, ground - 0.03, right + 0.01, ground + heel), 0.8),
        (box(0.08, ground - 0.02, 0.62, ground + 0.02), 0.7),
        (box(left + 0.02, shaft + 0.02, right - 0.01, shaft + 0.07), rng.uniform(0.5, 0.9)),
    ]


PIECES: tuple[Callable[[np.random.Generator], list[Layer]], ...] = (
    t_shirt,
    trousers,
    pullover,
    dress,
    coat,
    sandal,
    shirt,
    sneaker,
    bag,
    ankle_boot,
)
