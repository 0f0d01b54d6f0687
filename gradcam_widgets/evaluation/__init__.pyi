from .localization import density as density
from .localization import overlap as overlap
from .localization import points_at as points_at
from .localization import share_inside as share_inside
