"""The library of this sheet."""
