from .page import write_page as write_page
from .panel import GradCAMPanel as GradCAMPanel
from .view import HeatmapView as HeatmapView
