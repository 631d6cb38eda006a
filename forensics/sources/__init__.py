"""What systems wrote: one file a kind of evidence, each defining `SOURCE`. A new kind is a new file here and nothing else."""
