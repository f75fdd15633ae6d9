#!/usr/bin/env bash
# lane.sh - real Docker containers for tests, on a bare Debian 12 machine that reaches no container registry.
#
#   lane.sh up         install what is missing, start a private dockerd, make the stand-in base images (idempotent)
#   lane.sh env        print the exports that a test run needs:  eval "$(lane.sh env)"
#   lane.sh is-up      exit status 0 if it is
#   lane.sh slowfs UNDER VIEW [SUBTYPE]   mount UNDER at VIEW through FUSE: edits made in UNDER raise no inotify event in VIEW
#   lane.sh unslowfs VIEW
#   lane.sh down       remove the lane's containers, stop its dockerd (images are kept)
#   lane.sh purge      down, and delete the images and everything else the lane wrote
#
# Needs root. No registry host is named here: apt's own sources give the base system, the machine's own CPythons give python:X.Y-slim,
# and the machine's CA bundle goes into the stand-in images so that `RUN pip install` works with `--network=host`.
set -euo pipefail
LANE=${RELOADER_LANE_DIR:-/var/tmp/reloader-lane}
RUN=${RELOADER_LANE_RUN:-/run/reloader-lane}
PYTHONS=${RELOADER_LANE_PYTHONS:-3.12}           # minor versions, e.g. "3.10 3.12 3.13": each becomes python:X.Y-slim
PYTHON_HOMES=${RELOADER_LANE_PYTHON_HOMES:-$(dirname "$(python3 -c 'import sys; print(sys.base_prefix)')")}   # where the machine keeps its CPythons, X.Y.Z each
PKGS="docker.io iptables docker-compose mmdebstrap bindfs"   # Debian 12: engine 20.10.24, runc 1.1.5, compose 1.29.2
DOCKER=/usr/bin/docker                           # Debian's client: the only one here whose `build` speaks BuildKit without buildx
export DOCKER_HOST=unix://$RUN/docker.sock DOCKER_CONFIG=$LANE/client
say() { printf '%s %s\n' "[lane ${SECONDS}s]" "$*" >&2; }
die() { say "ERROR: $*"; exit 1; }

install_pkgs() {
    local miss=() p
    for p in $PKGS; do dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || miss+=("$p"); done
    ((${#miss[@]})) || return 0
    say "apt-get install ${miss[*]}"
    { apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o DPkg::Lock::Timeout=120 --no-install-recommends "${miss[@]}"; } \
        >"$LANE/apt.log" 2>&1 </dev/null || { tail -20 "$LANE/apt.log" >&2; die "apt-get failed"; }
}

ours() { [[ -r $RUN/dockerd.pid ]] && { tr '\0' ' ' <"/proc/$(<"$RUN/dockerd.pid")/cmdline"; } 2>/dev/null | grep -q -- "--data-root $LANE/docker"; }

reap_stale() {  # what a killed session left behind: only processes and mounts that carry this lane's own paths
    local p c d
    for p in /proc/[0-9]*; do
        c=$({ tr '\0' ' ' <"$p/cmdline"; } 2>/dev/null) || continue
        case $c in
            *containerd*" $RUN/exec/containerd/"*|dockerd\ *"--data-root $LANE/docker "*|bindfs\ *"$LANE"*) kill -KILL "${p#/proc/}" 2>/dev/null || true ;;
        esac
    done
    for p in $(cat /sys/fs/cgroup/pids/reloader-lane/*/cgroup.procs /sys/fs/cgroup/reloader-lane/*/cgroup.procs 2>/dev/null); do kill -KILL "$p" 2>/dev/null || true; done
    sleep 0.2
    for d in "$RUN"/exec/netns/* "$LANE"/docker/overlay2/*/merged "$LANE"/docker/containers/*/mounts/shm "$LANE/docker" "$LANE/docker"; do
        mountpoint -q "$d" && umount -l "$d" 2>/dev/null || true
    done
    rm -rf "$RUN/exec" "$RUN/dockerd.pid" "$RUN/docker.sock"
    for d in /sys/fs/cgroup/reloader-lane /sys/fs/cgroup/*/reloader-lane; do                # the (empty) cgroup folders, on v1 and v2
        [[ -d $d ]] && find "$d" -depth -type d -exec rmdir {} \; 2>/dev/null || true
    done
}

start_engine() {
    ours && "$DOCKER" version >/dev/null 2>&1 && return 0
    reap_stale
    say "starting dockerd"
    # no iptables, no docker0, no ip_forward: the machine's network is left as it was. Containers get no network unless asked;
    # --network=host and networks made by compose (containers reach each other by name) both work.
    setsid dockerd --host "$DOCKER_HOST" --data-root "$LANE/docker" --exec-root "$RUN/exec" --pidfile "$RUN/dockerd.pid" \
        --storage-driver overlay2 --iptables=false --ip6tables=false --ip-forward=false --bridge=none \
        --cgroup-parent /reloader-lane --shutdown-timeout 5 >"$LANE/dockerd.log" 2>&1 </dev/null 9>&- &
    local pid=$! i
    for ((i = 0; i < 300; i++)); do
        "$DOCKER" version >/dev/null 2>&1 && return 0
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    tail -20 "$LANE/dockerd.log" >&2; die "dockerd did not come up"
}

have() { "$DOCKER" image inspect "$1" >/dev/null 2>&1; }

make_base() {
    have debian:bookworm-slim && return 0
    say "debian:bookworm-slim from apt's own sources"
    local src=/etc/apt/sources.list.d/debian.sources
    [[ -r $src ]] || src=/etc/apt/sources.list
    mmdebstrap --quiet --mode=root --variant=minbase --format=tar \
        --include=ca-certificates,netbase,tzdata,libssl3,libffi8,libsqlite3-0,zlib1g,libbz2-1.0,liblzma5,libreadline8,libuuid1,libncursesw6,libgdbm6,libnsl2,libexpat1 \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        --dpkgopt=force-unsafe-io --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Acquire::Check-Date "false"' \
        --aptopt='Acquire::Languages "none"' bookworm "$LANE/base.tar" "$src" >"$LANE/mmdebstrap.log" 2>&1 \
        || { tail -20 "$LANE/mmdebstrap.log" >&2; die "mmdebstrap failed"; }
    "$DOCKER" import -c 'CMD ["bash"]' "$LANE/base.tar" debian:bookworm-slim >/dev/null
    rm -f "$LANE/base.tar"
}

make_python() {  # X.Y
    local v=$1 home
    have "python:$v-slim" && return 0
    home=$(ls -d "$PYTHON_HOMES/$v".* 2>/dev/null | sort -V | tail -1)
    [[ -n $home ]] || die "no CPython $v under $PYTHON_HOMES"
    say "python:$v-slim from $home"
    local c=$LANE/ctx-$v
    rm -rf "$c"; mkdir -p "$c/usr/local" "$c/etc/ssl/certs"
    tar -C "$home" --exclude=__pycache__ --exclude="lib/python$v/test" --exclude="lib/python$v/idlelib" --exclude="lib/python$v/tkinter" \
        --exclude="lib/python$v/turtledemo" --exclude="lib/python$v/config-*" --exclude="lib/python$v/lib-dynload/_tkinter*" \
        --exclude="lib/python$v/lib-dynload/_test*" --exclude='*.a' --exclude="lib/python$v/site-packages/*" \
        -cf - "bin/python$v" bin/python3 bin/python lib include | tar -C "$c/usr/local" -xf -
    cp -r "$home/lib/python$v/site-packages/pip" "$home/lib/python$v/site-packages"/pip-*.dist-info "$c/usr/local/lib/python$v/site-packages/"
    printf '#!/usr/local/bin/python3\nimport sys\nfrom pip._internal.cli.main import main\nsys.exit(main())\n' >"$c/usr/local/bin/pip"
    chmod 755 "$c/usr/local/bin/pip"; ln -sf pip "$c/usr/local/bin/pip3"
    cp /etc/ssl/certs/ca-certificates.crt "$c/etc/ssl/certs/"             # the machine's bundle: its registries answer under its own CA
    printf '[global]\ncert = /etc/ssl/certs/ca-certificates.crt\n' >"$c/etc/pip.conf"
    cat >"$c/Dockerfile" <<D
FROM debian:bookworm-slim
COPY usr /usr
COPY etc /etc
RUN ldconfig && python3 -c 'import bz2, ctypes, curses, hashlib, lzma, readline, sqlite3, ssl, uuid, zlib' && pip --version
ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8
CMD ["python3"]
D
    DOCKER_BUILDKIT=0 "$DOCKER" build --network=none -q -t "python:$v-slim" "$c" >"$LANE/build-$v.log" 2>&1 \
        || { tail -20 "$LANE/build-$v.log" >&2; die "image python:$v-slim failed"; }
    rm -rf "$c"
}

up() {
    [[ $(id -u) == 0 ]] || die "needs root"
    mkdir -p "$LANE/client" "$RUN"; [[ -s $LANE/client/config.json ]] || echo "{}" >"$LANE/client/config.json"
    exec 9>"$LANE/lock"; flock 9
    install_pkgs; start_engine; make_base
    local v; for v in $PYTHONS; do make_python "$v"; done
    flock -u 9
    say "ready: $("$DOCKER" version -f 'engine {{.Server.Version}}'), $("$DOCKER" images --format '{{.Repository}}:{{.Tag}} {{.Size}}' | grep -E '^(python|debian):' | paste -sd, -)"
}

down() {
    if ours; then
        local pid ids i; pid=$(<"$RUN/dockerd.pid")
        ids=$("$DOCKER" ps -aq 2>/dev/null || true); [[ -z $ids ]] || "$DOCKER" rm -f -v $ids >/dev/null 2>&1 || true
        "$DOCKER" network prune -f >/dev/null 2>&1 || true
        kill -TERM "$pid"
        for ((i = 0; i < 150; i++)); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
        kill -0 "$pid" 2>/dev/null && kill -KILL "$pid"
    fi
    reap_stale      # also the nsfs mount and the cgroup folders that dockerd leaves even after a clean stop
    say "down"
}

purge() { down; rm -rf "$LANE" "$RUN"; }

slowfs() {  # UNDER VIEW [SUBTYPE]
    local sub=${3:-grpcfuse}
    mkdir -p "$2"; bindfs -o "subtype=$sub,attr_timeout=0,entry_timeout=0,negative_timeout=0" "$1" "$2"
}
unslowfs() { umount "$1"; }

case ${1:-} in
    up | down | purge) "$1" ;;
    is-up) ours ;;
    slowfs | unslowfs) "$@" ;;
    env) printf 'export DOCKER_HOST=%q DOCKER_CONFIG=%q RELOADER_TEST_DOCKER=%q\n' "$DOCKER_HOST" "$DOCKER_CONFIG" "$DOCKER" ;;
    *) sed -n '2,14p' "$0" | sed 's/^# \{0,1\}//'; exit 2 ;;
esac
