"""Methods as compositions."""

from attent_tf.methods.method import DIRECTIONS, METHODS, Method, get_domains, get_method

__all__ = ["DIRECTIONS", "METHODS", "Method", "get_domains", "get_method"]
