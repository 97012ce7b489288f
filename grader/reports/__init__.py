"""The faces of a result: one module a face. Each takes the result and knows nothing else.

`views.student_view` decides what a student may see; every face for students takes what it returns. `text` makes
untrusted text safe; no face shows a word of a submission that did not pass through it.
"""
