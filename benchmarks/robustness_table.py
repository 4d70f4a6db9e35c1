def rows_of(cases, names):
    return []
