"""The client of HiDream's API: against servers that misbehave in every way they can."""
