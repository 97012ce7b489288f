"""What runs inside the sandbox; it imports nothing of Gapgrade but what `grader.wall.contents` names."""
