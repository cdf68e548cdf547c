# The bot as a container image, for amd64 and arm64: see docs/install-container.md.
#
# A tag moves when its base gets security fixes, which is what one wants for a small server. To build
# the very same image again, give a digest after it: PYTHON=3.13-slim-bookworm@sha256:…
ARG PYTHON=3.13-slim-bookworm

# --- what is only needed to build ---------------------------------------------------------------
FROM python:${PYTHON} AS builder

ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1

# A virtual environment is one folder: it moves to the other stage as a whole.
RUN python3 -m venv /opt/hidream-bot

# The dependencies first: a change of the program alone then needs no new download.
WORKDIR /source
COPY requirements/run.txt requirements/run.txt
RUN /opt/hidream-bot/bin/pip install --no-deps --require-hashes -r requirements/run.txt

# What installs, and the libraries' own tests, are not needed any more.
COPY . .
RUN /opt/hidream-bot/bin/pip install --no-deps . \
 && /opt/hidream-bot/bin/pip uninstall --yes pip \
 && find /opt/hidream-bot -type d -name tests -prune -exec rm -rf {} +

# --- what runs ----------------------------------------------------------------------------------
FROM python:${PYTHON}

LABEL org.opencontainers.image.title="hidream-bot" \
      org.opencontainers.image.description="A self-hosted Telegram bot that turns a photo and a few words into pictures" \
      org.opencontainers.image.licenses="MIT"

# Nothing that installs anything stays. The number is fixed, so that a volume keeps its owner.
RUN rm -rf /usr/local/lib/python3*/site-packages/pip* /usr/local/lib/python3*/ensurepip /usr/local/bin/pip* \
 && groupadd --gid 10001 hidream-bot \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin hidream-bot \
 && install -d -m 0700 -o 10001 -g 10001 /data /backups

COPY --from=builder /opt/hidream-bot /opt/hidream-bot

# What is the same in every container; all else comes from --config or the environment. The monitor
# stays within the container. MPLCONFIGDIR: the plots' library wants to write down its fonts.
# SQLITE_TMPDIR: what sorts much needs room for it, which /tmp, in memory, has not.
ENV PATH=/opt/hidream-bot/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MPLCONFIGDIR=/tmp/matplotlib \
    SQLITE_TMPDIR=/data \
    BOT_STORAGE__URL=sqlite:////data/bot.db \
    BOT_WEB__LISTEN=0.0.0.0:8080 \
    BOT_WEB__MONITOR=127.0.0.1:9464

USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["hidream-bot", "health"]
ENTRYPOINT ["hidream-bot"]
CMD ["run"]
