"""What is measured, against what, and the script that does it. Every figure is a ratio to a baseline of the same run."""
