"""Pictures of flowers: drawn by the code below, or read from a folder of photographs.

The made flowers are 64x64 RGB pictures of five kinds. Each is a function of the polar coordinates (r, phi) around its
centre: a petal ends where r reaches R * (1 - depth * (1 - |cos(k * phi / 2)|^sharpness)), with k petals. Sky or lawn,
stem and leaves lie behind it. All pictures of a chunk are drawn at once, and the same seed gives the same pictures.

Photographs take the place of the drawn flowers where they lie in `data/dataset_flowers_64px/<kind>/`, or in any folder
of that form that is named.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset
from torchvision import datasets, transforms

from lib.data.cache import cached_arrays

Array = NDArray[np.float32]
Indices = NDArray[np.int64]

PHOTOGRAPHS = Path("data/dataset_flowers_64px")
SIZE = 64
CHUNK = 128  # pictures that are drawn at once; their arrays take some 50 MB


class Kind(NamedTuple):
    """One kind of flower: ranges (smallest, largest) from which each picture draws its own values."""

    name: str
    petals: tuple[int, int]
    depth: tuple[float, float]  # how far the gap between two petals reaches in: 0 a disc, 1 down to the centre
    sharpness: tuple[float, float]  # below 1 broad petals, above 1 pointed ones
    hue: tuple[float, float]  # of the petals, in turns: 0 red, 1/6 yellow, 2/3 blue
    saturation: tuple[float, float]
    centre: tuple[float, float]  # radius of the centre, relative to the flower's
    centre_hue: float


KINDS = (
    Kind("daisy", (11, 15), (0.50, 0.65), (0.6, 0.9), (0.10, 0.16), (0.02, 0.12), (0.26, 0.34), 0.13),
    Kind("sunflower", (14, 18), (0.30, 0.45), (0.9, 1.3), (0.12, 0.15), (0.85, 0.98), (0.38, 0.48), 0.06),
    Kind("rose", (5, 6), (0.10, 0.22), (0.5, 0.8), (0.92, 1.01), (0.70, 0.92), (0.14, 0.20), 0.98),
    Kind("violet", (5, 5), (0.45, 0.65), (0.4, 0.6), (0.70, 0.80), (0.55, 0.80), (0.14, 0.20), 0.15),
    Kind("lily", (6, 6), (0.70, 0.85), (1.0, 1.5), (0.02, 0.08), (0.75, 0.95), (0.10, 0.16), 0.11),
)


def load_flowers(image_size: int = 32, folder: str | Path | None = None) -> Dataset[tuple[Tensor, int]]:
    """The flowers as (picture, kind): photographs where there are any, made flowers else; says on one line which.

    Args:
        image_size: height and width of the pictures.
        folder: photographs, with a folder inside for each kind; without it `data/dataset_flowers_64px`, if it exists.

    Returns:
        A data set of (picture (3, image_size, image_size) float32 in [-1, 1], kind); `MadeFlowers` if they are made.

    Raises:
        FileNotFoundError: a folder is named and does not hold such pictures.
    """
    if folder is None and not PHOTOGRAPHS.is_dir():
        print(f"Data: flowers drawn by our own code; photographs in {PHOTOGRAPHS}/<kind>/ would take their place")
        return MadeFlowers(image_size)
    folder = Path(PHOTOGRAPHS if folder is None else folder)
    steps = [
        transforms.Resize(image_size),
        transforms.CenterCrop(image_size),
        transforms.ToTensor(),
        transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),  # [0, 1] -> [-1, 1]
    ]
    photographs: Dataset[tuple[Tensor, int]] = datasets.ImageFolder(str(folder), transforms.Compose(steps))
    print(f"Data: flowers from the photographs in {folder}")
    return photographs


class MadeFlowers(Dataset[tuple[Tensor, int]]):
    """Drawn flowers as (picture, kind): picture (3, image_size, image_size) float32 in [-1, 1], kind 0 ... 4.

    Args:
        image_size: height and width; the pictures are drawn with 64 and then made smaller or larger.
        n: how many flowers.
        seed: another seed draws other flowers.
    """

    def __init__(self, image_size: int = 32, n: int = 2048, seed: int = 0) -> None:
        arrays = cached_arrays(f"flowers-{n}-seed{seed}", lambda: {"pictures": make_flowers(n, seed=seed)})
        pictures = torch.from_numpy(arrays["pictures"]).permute(0, 3, 1, 2).float() / 127.5 - 1
        self.pictures = F.interpolate(pictures, size=image_size, mode="bilinear", antialias=True).clamp(-1, 1)
        self.kinds: list[int] = kinds_of(n).tolist()

    def __len__(self) -> int:
        return len(self.kinds)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.pictures[index], self.kinds[index]


def kinds_of(n: int) -> Indices:
    """(n,) the index into KINDS of each made flower: the kinds take turns."""
    return np.arange(n, dtype=np.int64) % len(KINDS)


def make_flowers(n: int, size: int = SIZE, seed: int = 0) -> NDArray[np.uint8]:
    """(n, size, size, 3) drawn flowers; the same arguments give the same pictures."""
    rng = np.random.default_rng(seed)
    kinds = kinds_of(n)
    # a chunk at a time, which needs less memory
    return np.concatenate([draw(rng, chunk, size) for chunk in np.split(kinds, range(CHUNK, n, CHUNK))])


def draw(rng: np.random.Generator, kinds: Indices, size: int) -> NDArray[np.uint8]:
    """(n, size, size, 3) one picture for each entry of `kinds`: background, stem and leaves, petals, centre."""
    n = len(kinds)
    steps = np.linspace(-1, 1, size, dtype=np.float32)
    y, x = np.meshgrid(steps, steps, indexing="ij")
    centre_x, centre_y = column(rng, -0.12, 0.12, n), column(rng, -0.22, 0.0, n)
    radius = column(rng, 0.55, 0.75, n)
    dx, dy = x - centre_x, y - centre_y

    picture = background(rng, y, n)
    picture = draw_stem_and_leaves(rng, picture, dx, dy)
    picture = draw_petals(rng, picture, kinds, dx=dx, dy=dy, radius=radius)
    picture = draw_centre(rng, picture, kinds, dx=dx, dy=dy, radius=radius)
    picture += rng.normal(0, 0.012, picture.shape).astype(np.float32)
    return (picture.clip(0, 1) * 255).round().astype(np.uint8)


def background(rng: np.random.Generator, y: Array, n: int) -> Array:
    """(n, size, size, 3) a vertical gradient: sky above, lawn below, both a little different in each picture."""
    height = (y + 1) / 2  # 0 at the top, 1 at the bottom
    sky = colour(column(rng, 0.50, 0.62, n), column(rng, 0.15, 0.45, n), column(rng, 0.75, 0.95, n))
    lawn = colour(column(rng, 0.24, 0.36, n), column(rng, 0.35, 0.60, n), column(rng, 0.25, 0.50, n))
    horizon = soft_step(height - column(rng, 0.45, 0.75, n), width=0.12)
    return blend(sky * (1 - 0.15 * height[..., None]), lawn, horizon)


def draw_stem_and_leaves(rng: np.random.Generator, picture: Array, dx: Array, dy: Array) -> Array:
    """A bent stem below the flower's centre, and a leaf at each side of it."""
    n = len(picture)
    green = colour(column(rng, 0.28, 0.36, n), column(rng, 0.55, 0.80, n), column(rng, 0.30, 0.50, n))
    bend = column(rng, -0.15, 0.15, n)
    from_stem = dx - bend * dy**2
    stem = soft_step(0.05 - np.abs(from_stem)) * soft_step(dy)
    picture = blend(picture, green, stem)
    for side in (-1, 1):
        tilt = column(rng, 0.4, 0.8, n)
        along = side * from_stem * np.cos(tilt) - (dy - column(rng, 0.85, 1.0, n)) * np.sin(tilt)
        across = side * from_stem * np.sin(tilt) + (dy - 0.92) * np.cos(tilt)
        leaf = soft_step(1 - ((along - 0.28) / 0.28) ** 2 - (across / 0.11) ** 2, width=0.25)
        picture = blend(picture, green * 1.15, leaf)
    return picture


def draw_petals(
    rng: np.random.Generator, picture: Array, kinds: Indices, *, dx: Array, dy: Array, radius: Array
) -> Array:
    """Two rings of petals, the inner one smaller, turned by half a petal and lighter."""
    n = len(picture)
    count = rng.integers(*limits(kinds, "petals").astype(int), endpoint=True).reshape(n, 1, 1)
    depth, sharpness = within(rng, kinds, "depth"), within(rng, kinds, "sharpness")
    hue, saturation = within(rng, kinds, "hue"), within(rng, kinds, "saturation")
    brightness = column(rng, 0.82, 0.98, n)
    turn = column(rng, 0, 2 * np.pi, n)
    r, phi = np.hypot(dx, dy), np.arctan2(dy, dx)
    for scale, shift, light in ((1.0, 0.0, 0.88), (0.72, np.pi, 1.0)):
        wave = np.abs(np.cos((count * (phi + turn) + shift) / 2)) ** sharpness
        edge = scale * radius * (1 - depth * (1 - wave))
        petal = soft_step(edge - r)
        shade = light * (0.62 + 0.38 * (r / np.maximum(edge, 0.05)).clip(0, 1)) * (0.85 + 0.15 * wave)
        picture = blend(picture, colour(hue, saturation, brightness) * shade[..., None], petal)
    return picture


def draw_centre(
    rng: np.random.Generator, picture: Array, kinds: Indices, *, dx: Array, dy: Array, radius: Array
) -> Array:
    """A disc with grains in rings, darker towards its rim."""
    n = len(picture)
    size = within(rng, kinds, "centre") * radius
    hue = np.array([kind.centre_hue for kind in KINDS], np.float32)[kinds].reshape(n, 1, 1)
    r, phi = np.hypot(dx, dy), np.arctan2(dy, dx)
    grains = 0.5 + 0.5 * np.cos(9 * phi + 40 * r) * np.cos(34 * r)
    shade = (0.75 + 0.25 * grains) * (1.05 - 0.45 * (r / size).clip(0, 1) ** 2)
    disc = colour(hue, column(rng, 0.70, 0.90, n), column(rng, 0.65, 0.95, n)) * shade[..., None]
    return blend(picture, disc, soft_step(size - r))


def column(rng: np.random.Generator, low: float, high: float, n: int) -> Array:
    """(n, 1, 1) one uniform draw for each picture."""
    return rng.uniform(low, high, (n, 1, 1)).astype(np.float32)


def limits(kinds: Indices, field: str) -> Array:
    """(2, n) smallest and largest value of a field of KINDS for each picture."""
    table = np.array([getattr(kind, field) for kind in KINDS], np.float32)
    return table[kinds].T


def within(rng: np.random.Generator, kinds: Indices, field: str) -> Array:
    """(n, 1, 1) one draw for each picture, within the limits of its kind."""
    low, high = limits(kinds, field)
    return rng.uniform(low, high).astype(np.float32).reshape(-1, 1, 1)


def soft_step(distance: Array, width: float = 0.03) -> Array:
    """0 outside, 1 inside: an edge that is about a pixel wide, so that it shows no stairs."""
    return 1 / (1 + np.exp(-(distance / (width / 2)).clip(-30, 30)))


def blend(below: Array, above: Array, cover: Array) -> Array:
    """(n, size, size, 3) `above` painted over `below` where `cover` (n, size, size) is 1."""
    return below + cover[..., None] * (above - below)


def colour(hue: Array, saturation: Array, value: Array) -> Array:
    """(n, 1, 1, 3) RGB in [0, 1] of (n, 1, 1) hue (in turns), saturation and value; Smith 1978, the hexcone model."""
    sixth = (hue[..., None] * 6 + np.array([5, 3, 1], np.float32)) % 6
    drop = np.minimum(sixth, 4 - sixth).clip(0, 1)
    return value[..., None] * (1 - saturation[..., None] * drop)
