"""What banks say of our accounts, read and written as BalanceEvents: camt messages and JSON."""
