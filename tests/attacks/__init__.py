"""What a hostile submission tries, as data: a module for each kind of attack, one `ATTACKS` tuple in each.

`python -m tests.attacks` runs them all in every sandbox mode that this machine has and prints what was seen.
"""
