"""Tests of the sandbox itself: it must be as strict as the services it stands for."""
