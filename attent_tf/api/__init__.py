"""The functions that `import attent_tf` offers: the verbs of the command in its words, and arrays through trained networks.

Each module loads what is heavy when one of its functions is called.
"""
