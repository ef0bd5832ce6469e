"""Orders, from either end."""

from dataclasses import replace

from models.reading import Order
from schema.enums import OrderDirection


def directed(order: Order, direction: OrderDirection) -> Order:
    """Return the order from the end that is asked for."""
    return replace(order, is_descending=direction is OrderDirection.DESC)
