"""Measures as functions of arrays: Dice, surface distances, volumes; protocols, summaries, intervals, paired tests."""
