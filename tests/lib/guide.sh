# SPDX-License-Identifier: LGPL-2.1-or-later
# Runs the commands that a page of docs/guide shows, so that none is there that does not work.
# tests/lint/guide asks that a test runs each of them.
#
#     guide_run PAGE HEADING [WORDS]    run the blocks of indented lines below that heading, or the
#                                       one that begins with WORDS (a "$" ends the line), as one script
#     guide_lines PAGE HEADING [WORDS]  print them instead: a document, or a command that is given more
#     guide_types RULE...               what is typed where a command asks (see tests/lib/typist)
#     guide_headings PAGE               the headings below which there are such blocks
#
# Blocks that cannot be run here are listed, with the reason, in tests/lib/guide-not-run; guide_run
# passes them over. In all of them /etc/tessera and the like are folders of the sandbox, and systemctl acts
# on the sandbox's parts.
# shellcheck shell=bash

guide_rules=()

guide_types() {
    guide_rules=("$@")
}

# The pages' places, and where they are here.
guide_map() {
    sed -e "s|/etc/tessera|$TESSERA_SANDBOX/etc/tessera|g" \
        -e "s|/etc/systemd|$TESSERA_SANDBOX/etc/systemd|g" \
        -e "s|/var/lib/tessera|$TESSERA_STATE|g" \
        -e "s|/run/tessera/bus|$TESSERA_SOCKET|g" \
        -e "s|/run/user/1000|$TESSERA_SANDBOX/tmp|g" \
        -e "s|/root/|$TESSERA_SANDBOX/tmp/|g" \
        -e "s|/srv/pki|$TESSERA_SANDBOX/tmp/pki|g" \
        -e "s|/usr/lib/pkcs11/tessera-pkcs11.so|$TESSERA_PKCS11_MODULE|g" \
        -e "s|^tools/|$TESSERA_SOURCE/tools/|"
}

# guide_blocks PAGE HEADING WORDS LISTED: the blocks that begin with WORDS, an empty line between them;
# without those that LISTED, a file in the form of guide-not-run, has.
guide_blocks() {
    awk -v page="$1" -v heading="$2" -v words="$3" '
        FILENAME == ARGV[1] { if (split($0, cell, / *\| */) == 4) skipped[cell[1] "|" cell[2] "|" cell[3]]; next }
        function begins(line, key) {
            for (key in skipped)
                if (index(page "|" heading "|" line, key) == 1 || key == page "|*|") return 0
            return index(line (words ~ /\$$/ ? "$" : ""), words) == 1
        }
        /^#/ { inside = $0 ~ /^#+ / && substr($0, index($0, " ") + 1) == heading }
        !/^    / { if (wanted) print ""; block = wanted = 0; next }
        { if (!block) wanted = inside && begins(substr($0, 5)); block = 1 }
        wanted { print substr($0, 5) }
    ' "$4" "$TESSERA_SOURCE/docs/guide/$1"
}

guide_lines() {
    guide_blocks "$1" "$2" "${3:-}" /dev/null | guide_map
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
        "start pcscd.socket") part_is_running pcscd || start_pcscd ;;
        "daemon-reload" | "reload dbus") ;;
        "enable --now pcscd.socket tesserad.service")
            systemctl start pcscd.socket
            start_daemon ;;
        *) fail "a page of the guide calls systemctl $*" ;;
    esac
}

guide_tesserad() {
    local configuration=(--config "$TESSERA_CONFIG")
    [[ " $* " != *" --config "* ]] || configuration=()
    command tesserad "${configuration[@]}" "$@"
}

# In a user namespace with one user nobody else can own a file.
guide_chown() {
    command chown "$@" || [ "$(awk '{ n += $3 } END { print n }' /proc/self/uid_map)" = 1 ]
}

# A program as a person runs it: with a terminal, and with our module when it has sanitizers.
guide_program() {
    local around=() name=$1 typist=("$TESSERA_SOURCE/tests/lib/typist")
    case $name in pkcs11-tool | modutil) typist+=(-o) ;; esac
    [ "$name" = tessera ] || [ -z "$TESSERA_PRELOAD" ] ||
        around=(env LD_PRELOAD="$TESSERA_PRELOAD" ASAN_OPTIONS="$ASAN_OPTIONS:detect_leaks=0")
    [ ${#guide_rules[@]} = 0 ] || around=("${typist[@]}" "${guide_rules[@]}" -- "${around[@]}")
    if [ ${#around[@]} = 0 ]; then
        command "$@"
    else
        "${around[@]}" "$@"
    fi
}

guide_run() {
    local script program theirs
    local programs=(tessera pkcs11-tool openssl ssh ssh-keygen curl p11-kit p11tool yubico-piv-tool modutil)
    mkdir -p "$TESSERA_SANDBOX/etc/tessera"
    ln -sf "$TESSERA_CONFIG" "$TESSERA_SANDBOX/etc/tessera/tesserad.conf"
    script=$(guide_blocks "$1" "$2" "${3:-}" "$TESSERA_SOURCE/tests/lib/guide-not-run" | guide_map)
    [ -n "$script" ] || fail "docs/guide/$1 shows no command below '$2' ${3:-}"
    # The test's own functions of these names are there again afterwards.
    theirs=$(declare -f tesserad chown "${programs[@]}") || true
    for program in "${programs[@]}"; do
        eval "$program() { guide_program $program \"\$@\"; }"
    done
    tesserad() { guide_tesserad "$@"; }
    chown() { guide_chown "$@"; }
    # The first that fails ends the test, as everywhere; this tells which page it is from.
    echo "docs/guide/$1, $2:"
    eval "$script"
    unset -f tesserad chown "${programs[@]}"
    eval "$theirs"
}
