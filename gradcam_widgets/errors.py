"""The package's exceptions; each message is one sentence that states the problem and the fix."""

from __future__ import annotations


class GradCAMError(ValueError):
    """Base of all errors that the package raises on purpose."""


class ImageError(GradCAMError):
    """An image is missing, cannot be read, or is none."""


class OptionError(GradCAMError):
    """A choice or a number is out of what an option allows."""


class ModelError(GradCAMError):
    """A model, its weights, its input or its output cannot be used."""


class LayerError(GradCAMError):
    """A layer does not exist, was not called, or cannot carry a map."""


class MethodError(GradCAMError):
    """A method is unknown, or its conditions are not met."""


class TargetError(GradCAMError):
    """A class is unknown, ambiguous or out of range."""


class ExportError(GradCAMError, OSError):
    """A file cannot be written."""


class DownloadError(GradCAMError, OSError):
    """A file could not be downloaded, or arrived damaged."""
