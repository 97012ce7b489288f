"""Small wrong versions of a solution, made by rules: what tests that deserve the name must notice."""
