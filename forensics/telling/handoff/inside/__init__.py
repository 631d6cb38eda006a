"""What travels inside a bundle as a program of its own, and may know nothing of this package."""
