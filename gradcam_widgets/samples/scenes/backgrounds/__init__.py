"""Backgrounds: sea, savanna, riverbank and weather."""

__all__: list[str] = []
