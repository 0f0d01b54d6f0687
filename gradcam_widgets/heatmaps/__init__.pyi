from .comparison import describe_difference as describe_difference
from .figures import comparison_figure as comparison_figure
from .heatmap import Heatmap as Heatmap
from .scale import shared_limit as shared_limit
