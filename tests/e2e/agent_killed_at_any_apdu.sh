#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# an agent that is killed at any APDU is a card that was pulled: it recovers when the agent is there again
# sandbox: --no-owner --cards blank,blank
# time limit: 600
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
cd "$TESSERA_SANDBOX/tmp"
# shellcheck source=tests/lib/interrupted.sh
source "$TESSERA_SOURCE/tests/lib/interrupted.sh"
# shellcheck source=tests/lib/agent.sh
source "$TESSERA_SOURCE/tests/lib/agent.sh"
# shellcheck source=tests/lib/agent-killed.sh
source "$TESSERA_SOURCE/tests/lib/agent-killed.sh"

step=1
[ -z "${TESSERA_PRELOAD:-}" ] || step=2

start_far_server "remote-ownership = yes" "remote-readers = everyone"
start_agent
make_far_owner
[ "$(remote_reader 0)" = 1 ] || fail "the card is not in reader 1"
add_template
walk issue 12
issue >/dev/null
walk activate 1
activate >/dev/null
walk unblock 1
walk retire 4
output=$(tessera audit verify)
[[ $output == *whole* ]] || fail "the audit trail is broken: $output"
