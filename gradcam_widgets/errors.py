"""Exceptions of the package; each message states the problem and the fix in one sentence."""

from __future__ import annotations


class GradCAMError(ValueError):
    """Base class of all errors raised by the package."""


class ImageError(GradCAMError):
    """An image is missing, unreadable or of an unsupported type."""


class OptionError(GradCAMError):
    """An option has an unknown choice or a number out of range."""


class ModelError(GradCAMError):
    """A model, its weights, its input or its output is unusable."""


class LayerError(GradCAMError):
    """A layer does not exist, was not called, or has no spatial output."""


class MethodError(GradCAMError):
    """A method is unknown, or the model does not meet its requirements."""


class TargetError(GradCAMError):
    """A target class is unknown, ambiguous or out of range."""


class ExportError(GradCAMError, OSError):
    """A file cannot be written."""


class DownloadError(GradCAMError, OSError):
    """A file could not be downloaded, or its checksum is wrong."""
