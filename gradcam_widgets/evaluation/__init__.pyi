from .localization import box_iou as box_iou
from .localization import density as density
from .localization import energy_inside_mask as energy_inside_mask
from .localization import pointing_game_hit as pointing_game_hit
