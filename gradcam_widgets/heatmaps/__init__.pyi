from .comparison import describe_difference as describe_difference
from .display import DisplayOptions as DisplayOptions
from .figures import comparison_figure as comparison_figure
from .heatmap import Heatmap as Heatmap
from .scale import shared_vmax as shared_vmax
