from .panel import GradCAMPanel as GradCAMPanel
