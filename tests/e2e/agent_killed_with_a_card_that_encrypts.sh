#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# an agent that is killed while it has a card that encrypts: the card recovers from afar, new secrets included
# sandbox: --no-owner --cards scp11,scp11
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

# A card in the clear is tried at each APDU.
step=2
[ -z "${TESSERA_PRELOAD:-}" ] || step=4

start_far_server "scp11-ca = $TESSERA_SANDBOX/etc/scp11-root.pem" "remote-readers = everyone"
start_agent
make_far_owner
[ "$(remote_reader 0)" = 1 ] || fail "the card is not in reader 1"
add_template
walk issue 12
issue >/dev/null
walk activate 1
activate >/dev/null
walk unblock 1
walk rotate 4
tessera_plain --json reader show 1 | jq -e .encrypted >/dev/null || fail "the card is in the clear at the end"
walk retire 4
output=$(tessera audit verify)
[[ $output == *whole* ]] || fail "the audit trail is broken: $output"
