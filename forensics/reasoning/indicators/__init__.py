"""One file a kind of reasoning, each defining `INDICATOR`. A new one is a new file here and nothing else."""
