"""What is decided: pure steps and the topology that joins them. No I/O, no clock, no chance, no float."""
