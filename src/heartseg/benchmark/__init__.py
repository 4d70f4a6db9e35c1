"""Comparisons: a grid of runs from one file to rows, tables and figures.

`grid` reads a GRID.toml and orders its runs, `cell` does one, `processes` and `cluster` do many,
`ledger` keeps the rows, `results`, `tables` and `figures` show them; `engine` ties them together.
Nothing here knows a network or a loss: a grid only sets settings of a RUN.toml.
"""
