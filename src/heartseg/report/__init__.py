"""Stage 6: numbers become a page, a picture, a table and a file that machines read."""
