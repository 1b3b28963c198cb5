#!/usr/bin/env bash
# Several web processes and workers behind nginx on one PostgreSQL, on one machine and without systemd.
#
#   deploy/cluster.sh start      migrate, then start everything and wait until it answers
#   deploy/cluster.sh restart    end and start the processes one after the other, while people register; settings
#                                stay as they were at `start`, but for what stands in files (UKETSUKE_..._FILE)
#   deploy/cluster.sh status     show what runs
#   deploy/cluster.sh stop       end everything; what was begun is finished
#
# Settings are the site's own (UKETSUKE_*), and here:
#   WEBS=4 WORKERS=3             how many of each, at `start`
#   FIRST_PORT=8001              port of the first web process; the others follow
#   UKETSUKE_PORT=8000           port of nginx, without TLS: for that put deploy/nginx.conf into /etc/nginx
#
# Whatever dies is started again a second later. Logs and process numbers are in the instance folder's cluster/.
set -euo pipefail
cd "$(dirname "$0")/.."

WEBS=${WEBS:-4} WORKERS=${WORKERS:-3} FIRST_PORT=${FIRST_PORT:-8001}
PORT=${UKETSUKE_PORT:-8000}
RUN=$(realpath -m "${UKETSUKE_INSTANCE:-instance}")/cluster
FLASK=.venv/bin/flask
export UKETSUKE_HOST=127.0.0.1 UKETSUKE_TRUSTED_PROXIES=1 UKETSUKE_WEB_PROCESSES=${UKETSUKE_WEB_PROCESSES:-1}
umask 077

list_ports() { seq "$FIRST_PORT" $((FIRST_PORT + WEBS - 1)); }
list_names() { cat "$RUN/names" 2>/dev/null || true; } # as they were at `start`
read_pid() { cat "$RUN/$1.pid" 2>/dev/null || true; }
lives() { [ -n "$1" ] && kill -0 "$1" 2>/dev/null; }

# Whatever `start` has begun holds this lock, so without it a number in a file is that of somebody else's process.
is_free() { [ ! -e "$RUN/lock" ] || flock -n "$RUN/lock" true; }
need_running() { if is_free; then refuse_former; echo "Nothing runs."; exit "$1"; fi; }

refuse_former() { # what an earlier version of this script has started holds no lock
    local file
    [ ! -e "$RUN/lock" ] || return 0
    for file in "$RUN"/*.pid; do
        if [ -e "$file" ] && lives "$(cat "$file")"; then
            echo "An earlier version of this script has started what runs: end it with that one, or if nothing runs" >&2
            echo "any more, remove $RUN/*.pid" >&2
            exit 1
        fi
    done
}

wait_for() { # seconds, what it is, command ...
    local tries=$(($1 * 10)) what=$2
    shift 2
    until "$@"; do
        tries=$((tries - 1))
        if [ $tries -le 0 ]; then echo "$what: not within the time; see $RUN" >&2; return 1; fi
        sleep 0.1
    done
}

answers() { curl -fsS -o /dev/null --max-time 2 "http://127.0.0.1:$1/healthz" 2>/dev/null; }
is_new() { local pid; pid=$(read_pid "$1"); [ "$pid" != "$2" ] && lives "$pid"; }
has_ended() { ! lives "$1"; }

keep() { # name, command ...: run it again and again until we stop
    local name=$1
    shift
    while [ ! -e "$RUN/stopping" ]; do
        "$@" >>"$RUN/$name.log" 2>&1 &
        echo $! >"$RUN/$name.pid"
        [ ! -e "$RUN/stopping" ] || kill -TERM $! # perhaps `stop` came before the number was there
        wait $! || true
        rm -f "$RUN/$name.pid"
        sleep 1
    done
}

start_nginx() {
    {
        [ "$(id -u)" != 0 ] || echo "user $(id -un);"
        echo "pid $RUN/nginx.pid; error_log $RUN/nginx-errors.log crit; events { worker_connections 4096; }"
        echo "http {"
        for kind in client_body proxy fastcgi uwsgi scgi; do echo "${kind}_temp_path $RUN/nginx-$kind;"; done
        sed -e '/# TLS/d' -e "s|/var/log/nginx/error.log|$RUN/nginx-errors.log|" \
            -e "s|/var/log/nginx/uketsuke.log|$RUN/nginx.log|" -e "s|^    server_name .*|    listen $PORT;|" \
            -e '/server 127.0.0.1:/d' deploy/nginx.conf |
            awk -v ports="$(list_ports | tr '\n' ' ')" '{ print } /^upstream/ {
                n = split(ports, list, " ")
                for (i = 1; i <= n; i++) print "    server 127.0.0.1:" list[i] " max_fails=1 fail_timeout=2s;"
            }'
        echo "}"
    } >"$RUN/nginx.conf"
    nginx -c "$RUN/nginx.conf"
}

start() {
    for program in nginx curl; do
        command -v $program >/dev/null || { echo "$program is missing: apt-get install $program" >&2; exit 1; }
    done
    case "${UKETSUKE_DATABASE_URL:-}" in postgresql*) ;; *)
        echo "Set UKETSUKE_DATABASE_URL to a PostgreSQL database: several machines cannot share SQLite." >&2
        exit 1 ;;
    esac
    mkdir -p "$RUN"
    refuse_former
    exec 9>>"$RUN/lock"
    flock -n 9 || { echo "It runs already: see '$0 status', and end it with '$0 stop'." >&2; exit 1; }
    rm -f "$RUN/stopping" "$RUN"/*.pid
    { list_ports | sed 's/^/web-/'; seq -f 'worker-%g' "$WORKERS"; } >"$RUN/names"
    $FLASK migrate
    trap '[ $? = 0 ] || stop' EXIT # half of it is of no use
    for name in $(list_names); do
        case $name in
        web-*) UKETSUKE_PORT=${name#web-} keep "$name" $FLASK web </dev/null >/dev/null 2>&1 & ;;
        *) keep "$name" $FLASK worker </dev/null >/dev/null 2>&1 & ;;
        esac
    done
    for port in $(list_ports); do wait_for 60 "web-$port" answers "$port"; done
    start_nginx
    wait_for 10 nginx answers "$PORT"
    echo "$WEBS web processes and $WORKERS workers answer behind http://127.0.0.1:$PORT"
}

restart() {
    local name pid
    need_running 1
    for name in $(list_names); do
        pid=$(read_pid "$name")
        if lives "$pid"; then kill -TERM "$pid"; fi
        wait_for 60 "$name" is_new "$name" "$pid"
        # The next one goes only when this one answers again, and nginx has it back: after a refusal it is left out
        # for `fail_timeout`, and of two processes none would be left.
        case $name in web-*) wait_for 60 "$name" answers "${name#web-}"; sleep 2 ;; esac
    done
    nginx -c "$RUN/nginx.conf" -s reload
    echo "All were restarted, one after the other."
}

status() {
    local name pid
    need_running 0
    for name in nginx $(list_names); do
        pid=$(read_pid "$name")
        if lives "$pid"; then echo "$name runs as $pid"; else echo "$name does not run"; fi
    done
}

stop() {
    local name pid
    need_running 0
    touch "$RUN/stopping"
    pid=$(read_pid nginx)
    if lives "$pid"; then kill -QUIT "$pid"; wait_for 60 nginx has_ended "$pid"; fi
    for name in $(list_names); do
        pid=$(read_pid "$name")
        if lives "$pid"; then kill -TERM "$pid"; fi
    done
    exec 9>&-
    wait_for 60 "what was started" is_free
    echo "All have ended."
}

case "${1:-}" in
start | restart | status | stop) "$1" ;;
*) sed -n '2,/^set -e/p' "$0" | grep '^#' | cut -c3-; exit 2 ;;
esac
