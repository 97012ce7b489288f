"""The data sets of this sheet: made by our own code, so that every script runs at once and offline."""
