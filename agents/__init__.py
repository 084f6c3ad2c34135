"""What is done: the two Faust apps, the exactly-once engine, connectors and feeds."""
