"""The parts of the differential tester (`differential.py`)."""
