from .box import Box as Box
from .edits import Edit as Edit
from .edits import edited as edited
from .encoding import encode_jpeg as encode_jpeg
from .encoding import encode_png as encode_png
from .encoding import shrink as shrink
from .reading import ImageLike as ImageLike
from .reading import read_image as read_image
