# docker build --target cpu --tag attent:cpu .
# docker build --target gpu --tag attent:gpu .      (docker run --gpus all ...; needs the NVIDIA container toolkit)
# docker run --rm --user "$(id -u)" --volume "$PWD:/data" attent:cpu demo --out demo

ARG BASE=python:3.11-slim


FROM ${BASE} AS build
WORKDIR /source
RUN python -m venv /opt/attent
ENV PATH=/opt/attent/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

# The packages come first: a change of the source then keeps their layer.
FROM build AS build-cpu
COPY requirements.lock .
RUN pip install --require-hashes --only-binary :all: --requirement requirements.lock
COPY . .
RUN pip install --no-deps --no-build-isolation .

FROM build AS build-gpu
COPY requirements-gpu.lock .
RUN pip install --require-hashes --only-binary :all: --requirement requirements-gpu.lock
COPY . .
RUN pip install --no-deps --no-build-isolation .


FROM ${BASE} AS run
RUN useradd --create-home --uid 10001 attent && mkdir /data && chown attent /data
ENV PATH=/opt/attent/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    TF_CPP_MIN_LOG_LEVEL=2 \
    MPLBACKEND=Agg \
    MPLCONFIGDIR=/tmp/matplotlib
WORKDIR /data
USER attent
HEALTHCHECK --interval=10m --timeout=2m --start-period=1m CMD ["attent", "doctor"]
ENTRYPOINT ["attent"]
CMD ["--help"]

FROM run AS gpu
COPY --from=build-gpu /opt/attent /opt/attent

FROM run AS cpu
COPY --from=build-cpu /opt/attent /opt/attent
