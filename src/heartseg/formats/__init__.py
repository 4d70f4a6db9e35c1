"""One file a format; each reads and writes a core Image and turns axes at its door."""
