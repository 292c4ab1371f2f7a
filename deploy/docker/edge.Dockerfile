# An edge beside a pack. Build from the root of the checkout:
#   docker build -f deploy/docker/edge.Dockerfile -t pulsebms-edge .
# For a pack on SocketCAN run it with --network host.
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN python -m venv /opt/pulsebms \
 && /opt/pulsebms/bin/pip install --no-cache-dir --constraint constraints.txt '.[edge]'

FROM python:3.11-slim-bookworm
RUN groupadd --gid 10001 pulsebms \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/pulsebms --shell /usr/sbin/nologin pulsebms \
 && install --directory --owner=10001 --group=10001 --mode=0700 /var/lib/pulsebms
COPY --from=build /opt/pulsebms /opt/pulsebms
# numba keeps what it compiled in its cache, and locks of adapters lie in /tmp.
ENV PATH=/opt/pulsebms/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    NUMBA_CACHE_DIR=/var/lib/pulsebms/numba PULSEBMS_JOURNAL=/var/lib/pulsebms/sessions
WORKDIR /var/lib/pulsebms
VOLUME /var/lib/pulsebms
USER 10001:10001
EXPOSE 9465
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:9465/metrics', timeout=4)"]
ENTRYPOINT ["pulsebms"]
CMD ["edge", "--help"]
