# SPDX-License-Identifier: LGPL-2.1-or-later
# Scripts that are a test and a demonstration in one: with NARRATE=1 (./quickstart) they tell what
# they do and show each command with what it printed; otherwise they are quiet unless a command
# fails.
#
#     step "words"          what comes next, in plain words
#     run CMD...            run CMD; its output is afterwards in $output too
#     run_fails CMD...      run CMD, which must fail: that is the point being shown
#     narrate_as NAME WORDS shows a function NAME as the command that a person would type
#     remark "words"        a sentence about what was just seen
# shellcheck shell=bash

# Ctrl-C ends the whole tale, also when the command that it met made an orderly end of it.
trap 'exit 130' INT

narrate_step=0
declare -gA narrate_names=()

narrate_paint() {
    if [ -t 1 ]; then
        printf '\033[%sm%s\033[0m\n' "$1" "$2"
    else
        printf '%s\n' "$2"
    fi
}

step() {
    narrate_step=$((narrate_step + 1))
    [ "${NARRATE:-0}" = 1 ] || return 0
    echo
    narrate_paint 1 "$narrate_step. $1"
}

remark() {
    [ "${NARRATE:-0}" = 1 ] || return 0
    printf '   %s\n' "$1"
}

narrate_as() {
    narrate_names[$1]=$2
}

# The command as a person would type it.
narrate_words() {
    local word words=()
    [ "$1" != foreign ] || shift
    if [ -n "${narrate_names[$1]:-}" ]; then
        words=("${narrate_names[$1]}")
        shift
    fi
    for word in "$@"; do
        case $word in
            *[!A-Za-z0-9_./:=,@%+-]* | "") word="'${word//\'/\'\\\'\'}'" ;;
        esac
        words+=("$word")
    done
    echo "${words[*]}"
}

narrate_run() {
    local status=0
    [ "${NARRATE:-0}" != 1 ] || narrate_paint 36 "   \$ $(narrate_words "$@")"
    # In a file and not in $(...), so that CMD may be a function that sets variables.
    "$@" >"$TESSERA_SANDBOX/tmp/narrated" 2>&1 || status=$?
    # shellcheck disable=SC2034
    output=$(tr -d '\0' <"$TESSERA_SANDBOX/tmp/narrated")
    [ "${NARRATE:-0}" != 1 ] || sed 's/^/     /' "$TESSERA_SANDBOX/tmp/narrated"
    return "$status"
}

run() {
    local status=0
    narrate_run "$@" || status=$?
    [ "$status" != 0 ] || return 0
    {
        echo "FAILED in step $narrate_step, status $status: $(narrate_words "$@")"
        [ "${NARRATE:-0}" = 1 ] || cat "$TESSERA_SANDBOX/tmp/narrated"
    } >&2
    exit 1
}

run_fails() {
    if narrate_run "$@"; then
        echo "FAILED in step $narrate_step: this should have been refused: $(narrate_words "$@")" >&2
        exit 1
    fi
}
