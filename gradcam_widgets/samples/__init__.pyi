from .sample import SAMPLES as SAMPLES
from .sample import Sample as Sample
from .sample import elephants as elephants
from .sample import iguana as iguana
from .sample import scene as scene
from .sample import submarine as submarine
