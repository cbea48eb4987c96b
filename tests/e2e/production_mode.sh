#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# the commands of the guide's page on production mode work, online and offline
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
source "$TESSERA_SOURCE/tests/lib/guide.sh"
source "$TESSERA_SOURCE/tests/lib/activation.sh"
cd "$TESSERA_SANDBOX/tmp"
page=production-mode.md
mkdir -p "$TESSERA_SANDBOX/etc/tessera"

licence_is() {
    local shown
    shown=$(tessera --json licence show | jq -r "$1")
    [ "$shown" = "$2" ] || fail "$1 of the licence is '$shown' instead of '$2'"
}

# What the heading below "For whoever distributes Tessera" shows, command by command: the request
# that it answers is made in between.
distributor() {
    guide_lines "$page" "For whoever distributes Tessera" | sed -e ':a' -e '/\\$/N; s/\\\n//; ta' |
        grep "^$TESSERA_SOURCE/tools/licence $1 "
}

guide_run "$page" "See how things are"
licence_is .mode evaluation
licence_is .credentials 10
licence_is .used 0
expect_failure 1 tessera licence activate <(echo '{}')
[[ $output == *licence-public-key-file* ]] || fail "$output"

for step in key code; do
    eval "$(distributor "$step")"
done
[ "$(stat -c %a licence.key)" = 600 ] || fail "others may read the private key"
! grep -qF "$(cat code)" codes.json || fail "the file of codes holds the code itself"
guide_run "$page" "Before the first licence"

# Offline.
expect_failure 1 tessera licence activate --code-file code
[[ $output == *activation-url* ]] || fail "$output"
guide_lines "$page" "With an activation code, offline" >offline
eval "$(head -n 1 offline)"
eval "$(distributor answer)"
guide_run "$page" "With an activation code, offline"
licence_is .mode production
licence_is .state valid
licence_is .customer "Example Ltd"
licence_is .credentials 500
restart_daemon
licence_is .state valid

guide_run "$page" "Back to evaluation mode"
licence_is .mode evaluation
expect_failure 3 tessera licence remove --yes

# Online, with the same code: it is for this store.
make_certificate localhost server.pem
cp activation-ca.pem "$TESSERA_SANDBOX/etc/tessera/activation-ca.pem"
start_activation 8443 server.pem
guide_run "$page" "With an activation code, online"
licence_is .mode production
licence_is .credentials 500
[ "$(jq '[.[]["used-by"][]] | length' codes.json)" = 1 ] || fail "the store was noted twice"

# By hand.
(
    eval "$(distributor make)"
    eval "$(distributor show)" >shown
)
[ "$(jq -r .id shown)" = 2035-0001 ] || fail "tools/licence show prints $(cat shown)"
tessera licence activate by-hand.json >/dev/null
licence_is .id 2035-0001

# Every heading with commands was run above.
diff <(guide_headings "$page") - <<'END' || fail "a heading of the page is not tested"
See how things are
Before the first licence
With an activation code, online
With an activation code, offline
Back to evaluation mode
For whoever distributes Tessera
END

# Who did what is on record, but not the code.
for operation in activate-licence install-licence remove-licence; do
    expect_output "$operation" tessera --json audit list
done
! grep -rqF "$(cat code)" "$TESSERA_SANDBOX/log" "$TESSERA_STATE" || fail "the code is in a log or the store"
expect_output whole tessera audit verify

# Who may not, neither sees nor changes it.
expect_failure 4 env -u TESSERA_SESSION setpriv --reuid ada --regid ada --clear-groups tessera licence show
expect_failure 4 env -u TESSERA_SESSION setpriv --reuid ada --regid ada --clear-groups tessera licence remove --yes
stop_activation 8443
