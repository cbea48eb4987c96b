#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Microsoft CS is told of revocations by a command or by hand, and they count as done only when they are
# time limit: 300
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/ms-cs.sh
source "$TESSERA_SOURCE/tests/lib/ms-cs.sh"
# shellcheck source=tests/lib/guide.sh
source "$TESSERA_SOURCE/tests/lib/guide.sh"
cd "$TESSERA_SANDBOX/tmp"
start_ms_cs 8443 --revocation-port 8080
ms_cs_knob '{"places": []}'
add_ms_cs 8443
ms_cs_template | jq '.keys |= .[0:1]' >template.json
tessera template add template.json >/dev/null
wait_for 10 tessera reader show 1
printf '271828\n' >pin

issue() {
    tessera card issue --reader 1 --template lab --holder name=Ada --holder email=ada@example.org \
        --holder upn=ada@lab.test >/dev/null
    tessera card activate --new-pin-file pin >/dev/null
}
task() {
    tessera --json task list | jq -r ".[0].$1"
}
no_tasks() {
    tessera task list | grep -q 'There is nothing' || fail "$(tessera task list)"
}
at_ca() { # HELD REVOKED
    [ "$(ms_cs_has held) $(ms_cs_has revoked)" = "$1 $2" ] ||
        fail "at the CA $(ms_cs_has held) are held and $(ms_cs_has revoked) revoked, not $1 and $2"
}
revoke_by() { # JSON of the command
    ms_cs_document 8443 | jq --argjson command "$1" '.revocation = {command: $command, "timeout-seconds": 2}' >lab.json
    tessera connection update lab.json >/dev/null
}
certutil() {
    "$TESSERA_SOURCE/tests/servers/ms-cs-certutil" "$ms_cs_control" -revoke "$1" "$2" >/dev/null
}

# --- by hand: it stays on the list, says what to do, and is over when an operator says so
issue
serial=$(tessera --json card show | jq -r '.certificates[0].serial')
[[ $serial =~ ^([0-9a-f]{2})+$ ]] || fail "the serial number is '$serial'"
expect_failure any tessera card suspend
[[ $output == *"will be told again"* ]] || fail "$output"
[ "$(task kind) $(task status)" = "tell on-hold" ] || fail "$(tessera task list)"
[[ $(task problem) == *"certutil -revoke $serial 6; then say so with tessera task confirm"* ]] || fail "$(tessera task list)"
expect_failure any tessera task run "$(task id)"
certutil "$serial" 6
confirmed=$(task id)
guide_lines microsoft-cs.md "By hand" >by-hand.sh
sed -i "s/confirm 1$/confirm $confirmed/" by-hand.sh
expect_output "task $confirmed is done" bash -e by-hand.sh
no_tasks
tessera --json audit list | jq -e --arg serial "$serial" '[.[] | select(.operation == "confirm-task")] | last |
    .outcome == "ok" and (.detail | test("lab, authentication key, certificate " + $serial + " is on-hold"))' >/dev/null ||
    fail "$(tessera audit list)"
expect_failure any tessera task confirm "$confirmed"
[[ $output == *"there is no task"* ]] || fail "$output"
at_ca 1 0

# --- no command, unless root has put it there
revoke_by '["certutil", "'"$ms_cs_control"'", "-revoke", "{serial}", "{reason}"]'
expect_failure any tessera card resume
[[ $(task problem) == *"/etc/tessera/commands: No such file"*"the administrator of this machine"* ]] || fail "$(tessera task list)"
ms_cs_commands
chmod 777 commands
expect_failure any tessera task run "$(task id)"
[[ $output == *"others than root may write to it"* ]] || fail "$output"
chmod 755 commands
at_ca 1 0

# --- by a command
tessera task run "$(task id)" >/dev/null
at_ca 0 0
no_tasks
tessera card suspend >/dev/null
at_ca 1 0
tessera card resume >/dev/null
at_ca 0 0
tessera card retire --yes >/dev/null
at_ca 0 1
no_tasks

# --- the guide: by ssh, and by a script that root wrote
guide_run microsoft-cs.md "By a command" "install -d"
mv "$TESSERA_SANDBOX/etc/tessera/commands/ssh" commands/ssh
[ "$(readlink commands/ssh)" = /usr/bin/ssh ] || fail "the guide links something else"
rm commands/ssh
cat >commands/ssh <<END_COMMAND
#!/bin/sh
[ "\$1 \$2 \$3 \$4 \$5 \$6 \$7 \$8 \$9" = "-o BatchMode=yes -o StrictHostKeyChecking=yes svc-tessera@ca01.lab.test certutil -config CA01\\LAB-CA -revoke" ] ||
    exit 1
shift 9
exec "$PWD/commands/certutil" "$ms_cs_control" -revoke "\$@"
END_COMMAND
guide_lines microsoft-cs.md "By a command" "#!/bin/sh" |
    sed "s|ssh -o.*'CA01.*LAB-CA'|'$PWD/commands/certutil' '$ms_cs_control'|" >commands/revoke-at-lab
chmod 755 commands/ssh commands/revoke-at-lab
issue
guide_lines microsoft-cs.md "By a command" '{"revocation"' | jq -s '.[0] + .[1]' <(ms_cs_document 8443) - >lab.json
tessera connection update lab.json >/dev/null
tessera card suspend >/dev/null
at_ca 1 1
revoke_by '["revoke-at-lab", "{serial}", "{reason}"]'
tessera card resume >/dev/null
at_ca 0 1
tessera card retire --yes >/dev/null
at_ca 0 2
no_tasks

# --- one that fails, says that it failed, or hangs is not done; what it started is ended with it
cat >commands/fail <<'END_COMMAND'
#!/bin/sh
echo "ssh: connect to host ca: Connection refused" >&2
exit 255
END_COMMAND
cat >commands/lie <<'END_COMMAND'
#!/bin/sh
echo "CertUtil: -revoke command FAILED: 0x80070005 (WIN32: 5 ERROR_ACCESS_DENIED)"
END_COMMAND
cat >commands/hang <<END_COMMAND
#!/bin/sh
sleep 1000 &
echo \$! >"$PWD/started"
wait
END_COMMAND
chmod 755 commands/*
: >started
chmod 666 started
issue
revoke_by '["fail", "{serial}", "{reason}"]'
expect_failure any tessera card revoke --yes --reason keyCompromise
[[ $(task problem) == *"fail ended with status 255: ssh: connect to host ca: Connection refused"* ]] || fail "$(tessera task list)"
[ "$(task next)" != 0 ] || fail "it is not tried again"
revoke_by '["lie", "{serial}", "{reason}"]'
expect_failure any tessera task run "$(task id)"
[[ $output == *"says that it failed: CertUtil"*ERROR_ACCESS_DENIED* ]] || fail "$output"
revoke_by '["hang", "{serial}", "{reason}"]'
expect_failure any tessera task run "$(task id)"
[[ $output == *"hang was not ready within 2 seconds"* ]] || fail "$output"
has_ended() {
    ! kill -0 "$1" 2>/dev/null
}
[ ! -s started ] || wait_for 10 has_ended "$(cat started)"
at_ca 0 2
restart_daemon
[ "$(task status)" = revoked ] || fail "the revocation is forgotten: $(tessera task list)"
revoke_by '["certutil", "'"$ms_cs_control"'", "-revoke", "{serial}", "{reason}"]'
tessera task run "$(task id)" >/dev/null
at_ca 0 3
tessera card retire --yes >/dev/null
no_tasks

# --- where there is a revocation list, it says when it is done: told by hand,
with_list() {
    guide_lines microsoft-cs.md "Until it is seen" | sed 's|http://pki.lab.test/LAB-CA.crl|http://localhost:8080/crl|' |
        jq -s ".[0] + .[1] | $1" <(ms_cs_document 8443) - >lab.json
    tessera connection update lab.json >/dev/null
}
with_list .
issue
serial=$(tessera --json card show | jq -r '.certificates[-1].serial')
expect_failure any tessera card suspend
expect_failure any tessera task run "$(task id)"
certutil "$serial" 6
tessera task run "$(task id)" >/dev/null
[ "$(task kind)" = see ] && tessera task run "$(task id)" >/dev/null
no_tasks
# but a list that does not name it (yet) proves no resumption,
ms_cs_knob '{"hide": true}'
expect_failure any tessera card resume
expect_failure any tessera task run "$(task id)"
[[ $output == *"certutil -revoke $serial -1"* ]] || fail "$output"
certutil "$serial" -1
tessera task confirm "$(task id)" >/dev/null
[ "$(task kind)" != see ] || tessera task run "$(task id)" >/dev/null
no_tasks
# and an operator's word begins the looking where there is somewhere to look,
expect_failure any tessera card revoke --yes --reason keyCompromise
expect_output "is looked at until it shows it" tessera task confirm "$(task id)"
[ "$(task kind)" = see ] || fail "$(tessera task list)"
expect_failure any tessera task run "$(task id)"
[[ $output == *"shows the certificate as valid still"* ]] || fail "$output"
certutil "$serial" 0
ms_cs_no_knobs
ms_cs_knob '{"places": []}'
tessera task run "$(task id)" >/dev/null
no_tasks
tessera card retire --yes >/dev/null
# told by a command: told once, and looked at
with_list '.revocation = {command: ["certutil", "'"$ms_cs_control"'", "-revoke", "{serial}", "{reason}"]}'
issue
ms_cs_knob '{"hide": true}'
held=$(ms_cs_counted held)
tessera card suspend >/dev/null
[ "$(task kind)" = see ] || fail "$(tessera task list)"
expect_failure any tessera task run "$(task id)"
[ "$(ms_cs_counted held)" = $((held + 1)) ] || fail "the CA was told twice"
ms_cs_no_knobs
tessera task run "$(task id)" >/dev/null
no_tasks
# and one whose answer was lost is found in the list.
with_list '.revocation = {command: ["fail", "{serial}", "{reason}"]}'
expect_failure any tessera card revoke --yes --reason keyCompromise
certutil "$(tessera --json card show | jq -r '.certificates[-1].serial')" 0
tessera task run "$(task id)" >/dev/null
[ "$(task kind)" != see ] || tessera task run "$(task id)" >/dev/null
no_tasks

# --- what is asked for cannot be confirmed
tessera card retire --yes >/dev/null
ms_cs_knob '{"pending": 1000, "places": []}'
issue
expect_failure any tessera task confirm "$(task id)"
[[ $output == *"asked for still"* ]] || fail "$output"

expect_output whole tessera audit verify
