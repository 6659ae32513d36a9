# Three images, for processors, for NVIDIA GPUs and for workers of Apache Beam; docs/docker.md says how to run them.
#
#   docker build --target cpu --tag attent:cpu .
#   docker build --target gpu --tag attent:gpu .
#   docker build --target worker --tag attent:worker .

# A tag is built anew with Debian's fixes. For the same bytes each time, add its digest:
#   --build-arg BASE=docker.io/library/python:3.11.15-slim-bookworm@sha256:...
ARG BASE=docker.io/library/python:3.11.15-slim-bookworm
# Only the target `worker` needs it, and of it only the program `boot`.
ARG BEAM=docker.io/apache/beam_python3.11_sdk:2.77.0


FROM ${BASE} AS tools
ENV PIP_NO_CACHE_DIR=1 \
    PIP_PROGRESS_BAR=off \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore
WORKDIR /source
RUN python3 -m venv /opt/attent
ENV PATH=/opt/attent/bin:$PATH

# The packages have a layer of their own, which a change of the source leaves alone.
FROM tools AS packages-cpu
COPY requirements-cpu.lock docker/slim_environment.sh ./
RUN pip install --no-compile --require-hashes --only-binary :all: --requirement requirements-cpu.lock \
    && sh slim_environment.sh /opt/attent

FROM tools AS packages-gpu
COPY requirements-gpu.lock docker/slim_environment.sh ./
RUN pip install --no-compile --require-hashes --only-binary :all: --requirement requirements-gpu.lock \
    && sh slim_environment.sh /opt/attent

FROM tools AS project
COPY requirements.lock ./
RUN awk '/^[^ ]/ { wanted = /^setuptools==/ } wanted' requirements.lock > setuptools.lock \
    && pip install --require-hashes --only-binary :all: --requirement setuptools.lock
COPY . .
RUN pip install --no-compile --no-warn-script-location --no-deps --no-build-isolation --root /project . \
    && python -m compileall -q --invalidation-mode unchecked-hash -s /project /project


FROM ${BASE} AS run
# The day of the password's last change is all that would differ between two builds.
ARG SOURCE_DATE_EPOCH=0
RUN SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH}" useradd --uid 10001 --no-log-init --no-create-home --home-dir /tmp attent \
    && install --directory --mode 1777 /data /runs
# Any user id will do, named in /etc/passwd or not: HOME and USER are set, and all caches go below /tmp.
ENV PATH=/opt/attent/bin:$PATH \
    HOME=/tmp \
    USER=attent \
    MPLBACKEND=Agg \
    PYTHONUNBUFFERED=1 \
    TF_CPP_MIN_LOG_LEVEL=2
VOLUME ["/data", "/runs"]
WORKDIR /runs
USER 10001:10001
HEALTHCHECK --interval=10m --timeout=2m --start-period=2m CMD ["attent", "doctor"]
ENTRYPOINT ["attent"]
CMD ["--help"]

FROM run AS gpu
# What the container toolkit reads where `--gpus` is not at hand (Kubernetes, Compose).
ENV NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
COPY --from=packages-gpu /opt/attent /opt/attent
COPY --from=project /project/opt/attent /opt/attent

FROM run AS cpu
COPY --from=packages-cpu /opt/attent /opt/attent
COPY --from=project /project/opt/attent /opt/attent

# A pool of Beam's workers for runners elsewhere (docs/docker.md): `boot` starts them in this image's own environment.
FROM ${BEAM} AS beam
FROM cpu AS worker
COPY --from=beam /opt/apache/beam/boot /opt/apache/beam/boot
ENV RUN_PYTHON_SDK_IN_DEFAULT_ENVIRONMENT=1
HEALTHCHECK NONE
ENTRYPOINT ["/opt/apache/beam/boot"]
CMD ["--worker_pool"]
