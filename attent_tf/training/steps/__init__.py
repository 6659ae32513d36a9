"""Inner steps, one file for each kind of joint update; each reads from top to bottom as its paper's algorithm."""
