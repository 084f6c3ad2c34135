"""What is decided: pure steps and the topology. No I/O, no clock, no chance, no float."""
