"""What instructors run before a release: strip, check, preview."""
