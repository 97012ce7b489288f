"""A class on one page for the staff: what the points are, what is hard, what is unusual, who waits for whom."""
