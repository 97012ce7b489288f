"""Which images are used: the real data set where it lies in data/ or may be downloaded, made images otherwise."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor
from torch.utils.data import Dataset
from torchvision import datasets, transforms

from lib.data.digits import MadeDigits

DATA_FOLDER = Path("data")

ImageDataset = Dataset[tuple[Tensor, int]]


def load_digits(download: bool = False) -> tuple[ImageDataset, ImageDataset]:
    """The training and the test images of digits, as (image, label); says on one line which data set they are from.

    Args:
        download: fetch MNIST (about 11 MB) into data/ if it is not there.

    Returns:
        train, test: data sets of (image (1, 28, 28) float32 in [0, 1], label 0 ... 9).
    """
    if download or _lies_in_data("MNIST"):
        print(f"Data: MNIST, from {DATA_FOLDER / 'MNIST'}")
        to_tensor = transforms.ToTensor()
        train = datasets.MNIST(str(DATA_FOLDER), train=True, download=download, transform=to_tensor)
        test = datasets.MNIST(str(DATA_FOLDER), train=False, download=download, transform=to_tensor)
        return train, test
    print("Data: digits made from fonts; --download fetches the real MNIST")
    return MadeDigits(train=True), MadeDigits(train=False)


def _lies_in_data(name: str) -> bool:
    """Whether torchvision finds a data set of the MNIST family in data/ (it needs the unpacked files)."""
    parts = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
    return all((DATA_FOLDER / name / "raw" / f"{part}-ubyte").is_file() for part in parts)
