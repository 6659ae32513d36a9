"""Dice and average symmetric surface distance, their summaries, and the evaluation folder that keeps them."""
