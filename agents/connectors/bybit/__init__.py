"""Bybit v5 through pybit: transfers, repayments and collateral of the crypto loan, leverage,
reduce-only orders and cancels.
"""

from agents.connectors.bybit.config import ForbiddenEndpoint, Venue
from agents.connectors.bybit.connector import CAPABILITIES, Bybit

__all__ = ["CAPABILITIES", "Bybit", "ForbiddenEndpoint", "Venue"]
