"""Many configurations on one data set, all counted: what the best of them is worth."""
