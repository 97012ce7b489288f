"""How many words a text has."""

from __future__ import annotations


def count_words(text: str) -> int:
    """What stands between spaces and holds a letter or a digit; `**bold**` is one word, a dash is none."""
    return sum(any(character.isalnum() for character in word) for word in text.split())
