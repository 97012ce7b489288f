"""Draw the means of exponential and of normal samples and save the figure: python plot_clt.py"""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt

from lib.distributions import plot_clt

RESULTS = Path("results_clt")


def main() -> None:
    """Draw the figure of `plot_clt` and save it."""
    plot_clt()
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / "clt.png"
    plt.savefig(file, dpi=80)
    print(f"The figure is in {file}.")


if __name__ == "__main__":
    main()
