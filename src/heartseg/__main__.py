"""`python -m heartseg`."""

from heartseg.cli import main

main()
