"""Draw our normal numbers beside numpy's and save the figure: python plot_normal.py"""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt

from lib.distributions import plot_normal

RESULTS = Path("results_clt")


def main() -> None:
    """Draw the figure of `plot_normal` and save it."""
    plot_normal()
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / "normal.png"
    plt.savefig(file, dpi=80)
    print(f"The figure is in {file}.")


if __name__ == "__main__":
    main()
