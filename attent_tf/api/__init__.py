"""The functions that `import attent_tf` offers: the verbs of the command with its options, and trained networks for arrays.

Each module loads heavy packages when one of its functions is called.
"""
