"""Bybit v5 through pybit: transfers, repayments and collateral of the crypto loan, leverage,
reduce-only orders and cancels.
"""

from agents.connectors.bybit.config import Venue
from agents.connectors.bybit.connector import CAPABILITIES, Bybit
from agents.connectors.endpoint import ForbiddenEndpoint

__all__ = ["CAPABILITIES", "Bybit", "ForbiddenEndpoint", "Venue"]
