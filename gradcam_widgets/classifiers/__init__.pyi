from .classifier import Classifier as Classifier
from .loading import classifier_names as classifier_names
from .loading import is_available_offline as is_available_offline
from .loading import list_layers_without_weights as list_layers_without_weights
from .loading import load_classifier as load_classifier
from .preprocessing import Preprocessing as Preprocessing
