# The Lineage server. Its data is in /data, its user has the number 1000. `make up` builds and runs it.
ARG BASE=python:3.11-slim-trixie

FROM ${BASE} AS build
WORKDIR /src
COPY .ci/constraints.txt pyproject.toml README.md LICENSE ./
COPY lineage lineage
COPY graphql graphql
COPY ingest ingest
RUN python -m pip wheel --no-cache-dir --no-deps --wheel-dir dist .
RUN python -m venv --without-pip /opt/lineage
RUN python -m pip --python /opt/lineage/bin/python install --no-cache-dir --only-binary=:all: \
    --constraint constraints.txt "$(echo dist/*.whl)[server,neo4j]"

FROM ${BASE}
LABEL org.opencontainers.image.title="Lineage" \
      org.opencontainers.image.description="A lineage and provenance graph store for data and machine learning" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --gid 1000 lineage \
    && useradd --uid 1000 --gid lineage --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin lineage \
    && install -d -o lineage -g lineage -m 750 /data
COPY --from=build /opt/lineage /opt/lineage
# TMPDIR: what `lineage fsck` makes beside the graph is as large as the graph, and nothing else has to be writable.
ENV PATH=/opt/lineage/bin:$PATH LINEAGE_HOST=0.0.0.0 LINEAGE_PORT=8000 LINEAGE_DATA=/data TMPDIR=/data
USER 1000:1000
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s --retries=6 CMD ["python", "-c", \
    "import os, urllib.request as r; url = 'http://127.0.0.1:%s/healthz' % os.environ['LINEAGE_PORT']; \
    r.build_opener(r.ProxyHandler({})).open(url, timeout=4)"]
ENTRYPOINT ["lineage"]
CMD ["serve"]
