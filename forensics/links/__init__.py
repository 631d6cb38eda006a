"""What led to what: one file a rule, each defining `LINK`. A new rule is a new file here and nothing else."""
