from .dataset import Order as Order
from .dataset import draw_orders as draw_orders
