"""The command `attent`: one module for each verb, none of which loads TensorFlow before it runs."""
