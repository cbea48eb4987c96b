#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# records carry the operators' own signatures, which anyone can check from an export, and which no rewriting of it survives
# sandbox: --cards blank,blank,blank
# time limit: 300
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/guide.sh
source "$TESSERA_SOURCE/tests/lib/guide.sh"
cd "$TESSERA_SANDBOX/tmp"
echo 271828 >pin
holder=(--holder name=Ada --holder email=ada@example.org --holder upn=ada@example.org)
issue() { # issue READER [OPTION...]
    tessera card issue --reader "$1" --template ec "${holder[@]}" "${@:2}"
}
last() { # last JQ: of the newest record
    tessera --json audit list --newest --limit 1 | jq -r ".[0].$1"
}
in_session() { # in_session METHOD SIGNATURE ARGUMENT...: in the owner's login
    DBUS_SYSTEM_BUS_ADDRESS="unix:path=$TESSERA_SESSION" busctl --no-pager call org.tessera1 \
        /org/tessera1 org.tessera1.Manager "$@"
}

# --- one operator, another one, and both of them
owner=$(tessera --json operator current | jq -r '.[0].operator')
[ "$(tessera --json audit list --operation operator-login | jq -r '.[0].operator')" = "$owner" ] ||
    fail "the owner's login does not name the owner"
tessera card issue --reader 1 --template operator --roles elevated --holder name=Bob >/dev/null
[ "$(last operator)" = "$owner" ] || fail "the operator is $(last operator)"
tessera card activate reader:1 --new-pin-file pin
bob=$(tessera --json operator list | jq -r ".[] | select(.id != \"$owner\") | .id")
env -u TESSERA_SESSION tessera login --reader 1 --pin-file pin -- \
    tessera card issue --reader 2 --template ec "${holder[@]}" >/dev/null
[ "$(last operator)" = "$bob" ] || fail "the operator is $(last operator), not $bob"
tessera card activate reader:2 --new-pin-file pin
in_session Login 'osa{sv}' /org/tessera1/reader/1 271828 0
tessera card suspend reader:2
[ "$(last operator)" = "$owner $bob" ] || fail "the operators are $(last operator)"
both=$(last id)
[ "$(tessera --json audit list --operator "$bob" --newest --limit 1 | jq -r '.[0].id')" = "$both" ] ||
    fail "the second operator does not find the record"

# --- a job goes on when its operator has logged out, and is signed
env -u TESSERA_SESSION tessera login --reader 1 --pin-file pin -- \
    tessera card issue --reader 3 --template ec "${holder[@]}" --no-wait >job
ended() {
    ! tessera --json job list | jq -e '.[] | select(.state == "running")' >/dev/null
}
wait_for 30 ended
[ "$(tessera --json audit list --operation issue --newest --limit 1 | jq -r '.[0].operator')" = "$bob" ] ||
    fail "the job's operator"

# --- so it is when the operator's card is pulled
tessera card resume reader:2
in_session Login 'osa{sv}' /org/tessera1/reader/1 271828 1 end-on-removal b true
tessera card reissue reader:2 --no-wait >job
card_remove 0
wait_for 30 ended
[ "$(tessera --json audit list --operation reissue --newest --limit 1 | jq -r '.[0].operator')" = "$owner $bob" ] ||
    fail "the operators of the job whose card was pulled"
alone() {
    [ "$(tessera --json operator current | jq length)" = 1 ]
}
wait_for 10 alone
tessera card activate reader:2 --new-pin-file pin
[ "$(last operator)" = "$owner" ] || fail "whose card was pulled is still named: $(last operator)"
card_insert 0
wait_for 20 tessera card show reader:1 >/dev/null

# --- a card on another machine: its holder has the challenge signed, by any program
in_session BeginLogin s "$(tessera --json card show reader:1 | jq -r .serial)" >answer
/usr/bin/python3 -c 'import sys; sys.stdout.buffer.write(bytes(map(int, open("answer").read().split()[2:])))' \
    >challenge
foreign pkcs11-tool --module "$TESSERA_PKCS11_MODULE" --slot-index 0 --login --pin 271828 --id 01 \
    --sign --mechanism ECDSA-SHA256 --signature-format openssl --input-file challenge \
    --output-file signature >/dev/null 2>&1 || true
if [ -s signature ]; then
    # shellcheck disable=SC2046
    in_session FinishLogin say "$(tessera --json card show reader:1 | jq -r .serial)" \
        "$(stat -c %s signature)" $(od -An -v -tu1 signature)
    [ "$(last operation)" = operator-login ] || fail "the login from afar is not recorded"
else
    fail "the card did not sign the challenge"
fi
tessera card suspend reader:2

# --- offline, as the guide has it
guide_run audit.md "Look" >/dev/null
guide_run audit.md "Prove"
eval "$(guide_lines audit.md "Hand out" | sed 's/120345/12/')"
guide_run audit.md "Operators' own signatures"
mv audit-2026-01.jsonl trail.jsonl
verify() {
    tessera --socket /nonexistent audit verify --ca-certificate ca.pem "$@"
}
verify trail.jsonl --public-key audit-key.pem --json >result.json
[ "$(jq -r '[.operators[].operator] | unique | join(" ")' result.json)" = \
    "$(printf '%s\n' "$owner" "$bob" | sort | paste -sd' ')" ] || fail "operators: $(cat result.json)"
jq -e '.certificates_trusted and .signed_records >= 5' result.json >/dev/null || fail "$(cat result.json)"
grep -q '"type":"login"' audit-2026-02.jsonl || fail "the later export has no earlier login"
verify audit-2026-02.jsonl
sed '/"type":"login"/d' audit-2026-02.jsonl >changed.jsonl
expect_failure 1 verify changed.jsonl
[[ $output == *"signed under a login that is not there"* ]] || fail "$output"

# --- by other means than Tessera's: what the guide says about the format, and openssl
cat >check.py <<'END'
import hashlib, json, struct, subprocess, sys
data = lambda b: struct.pack(">I", len(b)) + b if b else struct.pack(">I", 0xFFFFFFFF)
text = lambda t: data(t and t.encode())
number = lambda n: struct.pack(">Iq", 8, n)

def fields(blob):
    while blob:
        length, = struct.unpack(">I", blob[:4])
        yield blob[4:4 + length]
        blob = blob[4 + length:]

def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, stdout=subprocess.DEVNULL)

def write(name, content):
    open(name, "wb").write(content)

def bare_hash(record, previous):
    return hashlib.sha256(
        previous + number(record["id"]) + number(record["time"]) + text(record["actor"])
        + text(record["operation"]) + text(record["card"]) + text(record["outcome"])
        + text(record["detail"]) + number(record["job"] or 0) + text(record["operator"]) + data(b"")).digest()

keys, checked, previous, store = {}, 0, bytes(32), None
for line in map(json.loads, open("trail.jsonl")):
    if line["type"] == "tessera-audit":
        store = line["store"]
    if line["type"] != "record":
        continue
    signature = bytes.fromhex(line["signature"] or "")
    if line["operation"] == "operator-login" and signature:
        challenge, by_card, certificate = fields(signature)
        write("challenge.bin", challenge), write("card.sig", by_card), write("card.der", certificate)
        openssl("x509", "-inform", "DER", "-in", "card.der", "-out", "card.pem")
        openssl("verify", "-CAfile", "ca.pem", "card.pem")
        write("card.pub", subprocess.run(["openssl", "x509", "-in", "card.pem", "-noout", "-pubkey"],
                                         check=True, capture_output=True).stdout)
        openssl("dgst", "-sha256", "-verify", "card.pub", "-signature", "card.sig", "challenge.bin")
        purpose, of_store, card, start, until, nonce, key = fields(challenge)
        assert purpose == b"tessera-operator-login-1" and of_store.decode() == store
        assert card.decode() == line["card"] and len(nonce) == 32
        keys[line["id"]] = key
    elif signature:
        parts = list(fields(signature))
        assert len(parts) == 2 * len(line["operator"].split())
        for login, one in zip(parts[::2], parts[1::2]):
            login, = struct.unpack(">q", login)
            write("message", text("tessera-audit-record-1") + text(store) + number(login)
                  + bare_hash(line, previous))
            write("signature.bin", one)
            # RFC 8410: an Ed25519 key as SubjectPublicKeyInfo
            write("session.der", bytes.fromhex("302a300506032b6570032100") + keys[login])
            openssl("pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "session.der", "-rawin",
                    "-in", "message", "-sigfile", "signature.bin")
            checked += 1
    previous = bytes.fromhex(line["hash"])
assert checked >= 7, checked
END
/usr/bin/python3 check.py || fail "an export is not what the guide says"

# --- whoever can compute the chain anew, and drops the checkpoints, is found by the signatures
cat >tamper.py <<'END'
import hashlib, json, re, struct, sys
data = lambda b: struct.pack(">I", len(b)) + b if b else struct.pack(">I", 0xFFFFFFFF)
text = lambda t: data(t and t.encode())
number = lambda n: struct.pack(">Iq", 8, n)
lines = [line for line in map(json.loads, open("trail.jsonl")) if line["type"] != "checkpoint"]
record = {line["id"]: line for line in lines if line["type"] == "record"}
exec(sys.argv[1])
previous = bytes(32)
for line in record.values():
    content = (number(line["id"]) + number(line["time"]) + text(line["actor"]) + text(line["operation"])
               + text(line["card"]) + text(line["outcome"]) + text(line["detail"]) + number(line["job"] or 0))
    signature = bytes.fromhex(line["signature"] or "")
    if line["operator"] or signature:
        content += text(line["operator"]) + data(signature)
    previous = hashlib.sha256(previous + content).digest()
    line["hash"] = previous.hex()
for line in lines:
    print(json.dumps(line))
END
tampered() { # tampered PYTHON WORDS: verify says so
    /usr/bin/python3 tamper.py "$1" >changed.jsonl
    expect_failure 1 verify changed.jsonl
    [[ $output == *"$2"* ]] || fail "instead of '$2' verify says: $output"
}
/usr/bin/python3 tamper.py 'pass' >changed.jsonl
expect_output "No checkpoint signs it" verify changed.jsonl
login=$(jq -s '[.[] | select(.operation == "operator-login" and .signature != null)][0].id' trail.jsonl)
first=$(jq -s "[.[] | select(.operator == \"$owner\" and .operation == \"issue\")][0].id" trail.jsonl)
tampered "record[$both]['actor'] = 'uid=1'" "record $both has a signature that is not operator $owner's"
tampered "record[$both]['outcome'] = 'Failed'" "record $both has a signature that is not"
tampered "record[$both]['signature'] = record[$first]['signature']" \
    "record $both has a signature that is not"
tampered "record[$both]['operator'] = '$owner'" "record $both has a signature that is not"
tampered "record[$first]['signature'] = None" "record $first names operator $owner, who did not sign it"
tampered "record[$both]['signature'] = record[$both]['operator'] = None" \
    "record $both is a change that no operator signed"
tampered "record[$login]['operation'] = 'noted'; record[$login]['operator'] = None; record[$login]['signature'] = None" \
    "record $first is signed under a login that is not there (record $login)"
tampered "record[$login]['card'] = 'yubikey-1'" "record $login has the proof of a login with another card"
# A change before the first signature shows by it, too.
tampered "record[1]['detail'] = 'x'" "record $first has a signature that is not operator $owner's"
grep -q '"operator-login"' changed.jsonl

# --- the cards have to be the organisation's
openssl req -x509 -newkey rsa:2048 -nodes -keyout other.key -subj /CN=Other -out other.pem 2>/dev/null
expect_failure 1 tessera --socket /nonexistent audit verify trail.jsonl --ca-certificate other.pem
[[ $output == *"record $login is a login whose certificate does not come from a trusted authority"* ]] ||
    fail "$output"
expect_failure 2 tessera audit verify --ca-certificate ca.pem
expect_failure 2 tessera audit verify trail.jsonl --ca-certificate pin
tessera audit verify
