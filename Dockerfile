# Two stages: wheels are built where there is a compiler, and run where there is none.
FROM python:3.11-slim-bookworm AS build
WORKDIR /build
COPY requirements-local.txt .
RUN python -m venv /opt/streamwatch \
    && /opt/streamwatch/bin/pip install --no-cache-dir --require-hashes -r requirements-local.txt
COPY pyproject.toml README.md LICENSE ./
COPY streamwatch streamwatch
RUN /opt/streamwatch/bin/pip install --no-cache-dir --no-deps .

FROM python:3.11-slim-bookworm
# /data is the volume of embedded storage; a new volume takes over its owner and its mode.
RUN useradd --system --uid 10001 --no-create-home streamwatch \
    && install -d -m 700 -o 10001 -g 10001 /data
ENV PATH=/opt/streamwatch/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOST=0.0.0.0 \
    DATA_DIR=/data
COPY --from=build /opt/streamwatch /opt/streamwatch
WORKDIR /data
USER 10001
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
# Everything in one container. The compose files with databases start web and worker by themselves.
CMD ["streamwatch", "dev"]
