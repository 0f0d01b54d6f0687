"""Backgrounds: sea, savanna, riverbank and weather."""
