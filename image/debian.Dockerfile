# The packages of packages.txt on a stock Debian: used where one can be pulled. Where none can,
# mmdebstrap makes the same from a package mirror.
ARG DEBIAN
FROM ${DEBIAN}
COPY packages.txt /tmp/packages.txt
RUN set -eu; \
    export DEBIAN_FRONTEND=noninteractive; \
    printf '%s\n' 'path-exclude=/usr/share/doc/*' 'path-exclude=/usr/share/man/*' \
        'path-exclude=/usr/share/info/*' 'path-exclude=/usr/share/locale/*' force-unsafe-io > /etc/dpkg/dpkg.cfg.d/50-node; \
    echo 'Acquire::Retries "3";' > /etc/apt/apt.conf.d/50-node; \
    apt-get update; \
    apt-get upgrade --yes --no-install-recommends; \
    sed '/^#/d; /^$/d' /tmp/packages.txt | xargs apt-get install --yes --no-install-recommends; \
    apt-get clean; \
    rm -rf /tmp/packages.txt /var/lib/apt/lists/*
