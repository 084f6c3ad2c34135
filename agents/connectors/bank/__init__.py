"""A bank: what it says (camt, JSON) is read here, what it is asked to pay (pain) goes out here."""
