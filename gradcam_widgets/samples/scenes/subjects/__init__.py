"""Subjects of the scenes: animals, vessels and photographer."""
