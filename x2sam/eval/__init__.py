"""Evaluation: metrics, suites, and the comparison with recorded numbers."""
