"""Answers that students type into `answers.toml`: formulas and quizzes, read from text and compared with a hidden key.

reading   the file, inside the sandbox: plain data by the path of its key
notation  a formula's text becomes a tree
formula   trees are evaluated, and compared at random points
key       `tests_hidden/<exercise>/answers_key.toml`, checked when a sheet is loaded
formulas  a formula task's points, part by part
quiz      a quiz task's points, question by question, and the explanations for afterwards
words     how many words a text has
"""
