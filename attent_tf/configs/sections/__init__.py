"""The sections of a configuration, by what they are for."""
