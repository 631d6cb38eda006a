"""`python -m forensics.cli`, where the `forensics` command is not installed."""

from forensics.cli import main

main(prog_name="forensics")
