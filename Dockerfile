# The Lineage server; its data is in /data. `docker compose up` builds and runs it.
FROM python:3.11-slim
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY lineage lineage
COPY graphql graphql
COPY ingest ingest
RUN pip install --no-cache-dir '.[server]' && useradd lineage && install -d -o lineage /data
USER lineage
ENV LINEAGE_HOST=0.0.0.0 LINEAGE_DATA=/data
VOLUME /data
EXPOSE 8000
ENTRYPOINT ["lineage"]
CMD ["serve"]
