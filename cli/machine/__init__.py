"""What `attent doctor` finds out about the machine; one function for each kind of finding, and none that loads TensorFlow."""
