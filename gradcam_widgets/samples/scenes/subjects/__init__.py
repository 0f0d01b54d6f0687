"""Subjects of the scenes: animals, vessels and photographer."""

__all__: list[str] = []
