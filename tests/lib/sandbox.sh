# SPDX-License-Identifier: LGPL-2.1-or-later
# What end-to-end tests use inside tests/sandbox:
#
#     source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
#
# ends the test at the first command that fails, and gives
#
#     fail WORDS...                  end the test with this message
#     skip WORDS...                  end it as skipped
#     expect_failure STATUS CMD...   CMD must end with STATUS ("any" for any but 0); its output is
#                                    then in $output
#     expect_output TEXT CMD...      CMD must succeed and print TEXT somewhere; output in $output
#     foreign CMD...                 run a program that loads our PKCS#11 module and was built without
#                                    sanitizers, whether the module has them or not
#     wait_for SECONDS CMD...        poll until CMD succeeds; fail when it never does
#     card_control N LINE            send a line to the control socket of card N; prints the answer
#     card_remove N, card_insert N   and wait until pcscd has seen it
#     apdu_count N                   APDUs that card N has seen since it was started
#     start_card N, stop_card N, kill_card N
#     start_daemon, stop_daemon, kill_daemon, restart_daemon, start_daemon_unready
#     daemon_option LINE             add a line to tesserad's configuration (before a restart)
#     start_pcscd, stop_pcscd, kill_pcscd
#     start_bus, stop_bus
#     part_pid NAME, part_is_running NAME, part_status NAME    of bus, pcscd, card-N, tesserad
#
# start_ functions return when the part answers; after start_pcscd, wait_for_readers waits for the
# cards; kill_ ones send SIGKILL.
# shellcheck shell=bash

[ -n "${TESSERA_SANDBOX:-}" ] || { echo "run this test with tests/sandbox" >&2; exit 2; }
set -euo pipefail
# shellcheck source=tests/lib/parts.sh
source "$TESSERA_SOURCE/tests/lib/parts.sh"

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

skip() {
    echo "SKIPPED: $*"
    exit 77
}

expect_failure() {
    local wanted=$1 status=0
    shift
    output=$("$@" 2>&1) || status=$?
    case $wanted in
        any) [ "$status" != 0 ] || fail "'$*' should have failed and printed: $output" ;;
        *) [ "$status" = "$wanted" ] ||
            fail "'$*' ended with status $status instead of $wanted and printed: $output" ;;
    esac
}

expect_output() {
    local text=$1
    shift
    output=$("$@" 2>&1) || fail "'$*' ended with status $? and printed: $output"
    case $output in
        *"$text"*) ;;
        *) fail "'$*' did not print '$text' but: $output" ;;
    esac
}

# The sanitizers' runtime must be loaded first; the program's own leaks are not ours to find.
foreign() {
    if [ -z "$TESSERA_PRELOAD" ]; then
        "$@"
    else
        env LD_PRELOAD="$TESSERA_PRELOAD" ASAN_OPTIONS="$ASAN_OPTIONS:detect_leaks=0" "$@"
    fi
}
# The same in place of the shell: in the background, $! is the program then.
exec_foreign() {
    [ -z "$TESSERA_PRELOAD" ] ||
        set -- env LD_PRELOAD="$TESSERA_PRELOAD" ASAN_OPTIONS="$ASAN_OPTIONS:detect_leaks=0" "$@"
    exec "$@"
}

# Stops a process until it gets SIGCONT. The signal alone lets threads go on for a while.
freeze() {
    kill -STOP "$1"
    wait_for 10 is_frozen "$1"
}
is_frozen() {
    ! cat "/proc/$1"/task/*/status | grep '^State:' | grep -qv 'T (stopped)'
}

wait_for() {
    wait_until "$@" || fail "after $1 seconds still not: ${*:2}"
}

# perl-base, which every Debian has, is the smallest client of a unix socket.
card_control() {
    # shellcheck disable=SC2016
    perl -MIO::Socket::UNIX -e '
        my $socket = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "$ARGV[0]: $!\n";
        print $socket "$ARGV[1]\n";
        $socket->flush();
        print scalar(<$socket>) // "";
    ' "$(card_file CONTROL "$1")" "$2"
}

cards_seen_are() {
    [ "$(cards_seen)" = "$1" ]
}

card_remove() {
    local before
    before=$(cards_seen)
    card_control "$1" remove >/dev/null
    wait_for 10 cards_seen_are $((before - 1))
}

card_insert() {
    local before
    before=$(cards_seen)
    card_control "$1" insert >/dev/null
    wait_for 10 cards_seen_are $((before + 1))
}

apdu_count() {
    local count
    count=$(card_control "$1" count)
    echo "${count//[!0-9]/}"
}

restart_daemon() {
    stop_daemon
    start_daemon
}

daemon_option() {
    echo "$1" >>"$TESSERA_CONFIG"
}
