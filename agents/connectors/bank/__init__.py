"""A bank: what it says (camt, JSON) is read here, what it is asked to pay (pain) goes out here."""

from agents.connectors.bank.config import Bank
from agents.connectors.bank.connector import CAPABILITIES, BankConnector
from agents.connectors.endpoint import ForbiddenEndpoint

__all__ = ["CAPABILITIES", "Bank", "BankConnector", "ForbiddenEndpoint"]
