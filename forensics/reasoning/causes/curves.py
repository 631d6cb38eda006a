"""The shape of a run's loss curve, and telling harmed from healthy runs by it where the two are plainly two kinds."""
