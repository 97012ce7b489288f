"""Draw cards from Bertrand's box and count what happened: python bertrand_box.py --n_draws 600

Three cards lie in a box: one is black on both sides, one is white on both sides, one is black on one side and white on
the other. A draw takes a card blindly and puts it on the table with a random side up.

The program prints how often each pair of sides occurred, the upper one and the hidden one. Which of these counts belong
into the fraction that estimates a (conditional) probability is for you to decide; your exact answers should then
lie close to the estimates, and the closer the more draws you take.
"""

from __future__ import annotations

import argparse

import numpy as np

BLACK, WHITE = 0, 1
CARDS = np.array([[BLACK, BLACK], [WHITE, WHITE], [BLACK, WHITE]])  # a row is a card, its columns are the two sides


def draw_cards(n_draws: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw a card and the side that lies up, n_draws times; the card goes back into the box each time.

    Returns:
        upper, hidden: the colours of the two sides, each (n_draws,) of BLACK or WHITE.
    """
    card = rng.integers(3, size=n_draws)
    side_up = rng.integers(2, size=n_draws)
    return CARDS[card, side_up], CARDS[card, 1 - side_up]


def count_pairs(upper: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """Count the draws by colour: a (2, 2) array, [BLACK, WHITE] for black above and white hidden."""
    counts = np.zeros((2, 2), dtype=int)
    np.add.at(counts, (upper, hidden), 1)
    return counts


def main() -> None:
    """Draw as often as the command line says and print the table of counts."""
    parser = argparse.ArgumentParser(description="Draw cards from Bertrand's box and count their sides.")
    parser.add_argument("--n_draws", type=int, default=600, help="how many cards to draw")
    args = parser.parse_args()
    counts = count_pairs(*draw_cards(args.n_draws, np.random.default_rng()))
    print(f"{args.n_draws} draws    other side black    other side white")
    for name, row in zip(("black", "white"), counts, strict=True):
        print(f"{name} side up {row[BLACK]:20d} {row[WHITE]:19d}")


if __name__ == "__main__":
    main()
