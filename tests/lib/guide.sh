# SPDX-License-Identifier: LGPL-2.1-or-later
# Runs the commands that a page of docs/guide shows, so that none is there that does not work.
#
#     guide_run PAGE HEADING     run the indented lines below that heading, as one script
#     guide_headings PAGE        the headings below which there are such lines
#
# In them /etc/tessera is a folder of the sandbox, /var/lib/tessera the state folder, and systemctl acts on the sandbox's tesserad.
# shellcheck shell=bash

guide_lines() {
    awk -v heading="## $2" '
        /^#/ { inside = ($0 == heading) }
        inside && sub(/^    /, "") { print }
    ' "$TESSERA_SOURCE/docs/guide/$1"
}

guide_headings() {
    awk '/^#/ { heading = $0; sub(/^#+ /, "", heading) }
        /^    / && heading != last { print heading; last = heading }' "$TESSERA_SOURCE/docs/guide/$1"
}

systemctl() {
    case $* in
        "restart tesserad") restart_daemon ;;
        "stop tesserad") stop_daemon ;;
        "start tesserad") start_daemon ;;
        *) fail "a page of the guide calls systemctl $*" ;;
    esac
}

guide_run() {
    local script
    mkdir -p "$TESSERA_SANDBOX/etc/tessera"
    ln -sf "$TESSERA_CONFIG" "$TESSERA_SANDBOX/etc/tessera/tesserad.conf"
    script=$(guide_lines "$@" | sed -e "s|/etc/tessera|$TESSERA_SANDBOX/etc/tessera|g" \
        -e "s|/var/lib/tessera|$TESSERA_STATE|g" \
        -e "s|^tools/|$TESSERA_SOURCE/tools/|")
    [ -n "$script" ] || fail "docs/guide/$1 shows no command below '$2'"
    # The first that fails ends the test, as everywhere; this tells which page it is from.
    echo "docs/guide/$1, $2:"
    eval "$script"
}
