#!/bin/sh
# Takes out of the environment in $1 what no command of the image reads, and compiles the rest.
set -eu

python="$1/bin/python"
site=$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')

# Tests and headers of the packages, which none of them imports; TensorFlow's headers alone are 255 MB.
find "$site" -depth -type d \( -name tests -o -name include \) -exec rm -rf {} +

# Clang is for TensorFlow's own developers, the others install packages.
"$python" -m pip uninstall --quiet --yes libclang setuptools wheel
"$python" -m pip uninstall --quiet --yes pip

# The user of the container cannot write bytecode, and without any TensorFlow takes seconds more to load at each start.
# In one process, in order and valid whatever the files' times, so that the same packages give the same bytes.
"$python" -m compileall -q -f -j 1 --invalidation-mode unchecked-hash "$site"
