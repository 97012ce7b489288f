"""Courses of other graders, turned into a course of Gapgrade: what can be turned is, the rest is listed."""
