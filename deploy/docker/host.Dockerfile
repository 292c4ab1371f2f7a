# The fleet host, with PostgreSQL's client programs for `fleet backup`. Build from the root of the checkout:
#   docker build -f deploy/docker/host.Dockerfile -t pulsebms-host .
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN python -m venv /opt/pulsebms \
 && /opt/pulsebms/bin/pip install --no-cache-dir --constraint constraints.txt '.[fleet]'

FROM python:3.11-slim-bookworm
# Debian keeps one patch level of a package: a pinned one would be gone at the next security update.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends postgresql-client-15 \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10001 pulsebms \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/pulsebms --shell /usr/sbin/nologin pulsebms \
 && install --directory --owner=10001 --group=10001 --mode=0700 /var/lib/pulsebms
COPY --from=build /opt/pulsebms /opt/pulsebms
ENV PATH=/opt/pulsebms/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
# All that is written lies here and in /tmp: the root may be read-only.
WORKDIR /var/lib/pulsebms
VOLUME /var/lib/pulsebms
USER 10001:10001
EXPOSE 8443 9464
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:9464/metrics', timeout=4)"]
ENTRYPOINT ["pulsebms"]
CMD ["fleet", "--help"]
