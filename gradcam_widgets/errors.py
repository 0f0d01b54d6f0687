"""The errors that a person can mend: each is one sentence naming what was given and what to do."""

from __future__ import annotations


class GradCAMError(ValueError):
    """What was asked for cannot be answered as it was given."""


class PictureError(GradCAMError):
    """A picture cannot be read, or is not one."""


class ModelError(GradCAMError):
    """A network, its weights, its input or its output cannot be used."""


class LayerError(GradCAMError):
    """A layer does not exist, was not called, or cannot carry a map."""


class MethodError(GradCAMError):
    """A method is unknown, or its conditions are not met."""


class CategoryError(GradCAMError):
    """A category is unknown, ambiguous or out of range."""


class DownloadError(GradCAMError):
    """A file could not be downloaded, or arrived damaged."""
