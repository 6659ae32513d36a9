"""The evaluation folder that keeps the scores and pictures of one model, and runs compared by their folders."""
