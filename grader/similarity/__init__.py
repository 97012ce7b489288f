"""Which submissions share unusual text in their gaps: pairs for a person to judge, never points."""
