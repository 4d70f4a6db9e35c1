"""Published data sets: a folder as it is downloaded becomes studies and their references."""
