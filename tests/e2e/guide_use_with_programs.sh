#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# programs use a card as the guide says: pkcs11-tool, ssh, openssl, curl, p11-kit, NSS
# sandbox: --cards blank --vcard-option 0:--serial=12345678
# time limit: 240
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/guide.sh
source "$TESSERA_SOURCE/tests/lib/guide.sh"
cd "$TESSERA_SANDBOX/tmp"
page=use-with-programs.md
echo 271828 >pin
guide_types 'PIN=271828'

tessera card issue --reader 1 --template employee --holder name='Ada Lovelace' \
    --holder email=ada@example.org --holder upn=ada@example.org >/dev/null
tessera card activate --new-pin-file pin >/dev/null

guide_run "$page" "Keys" >shown
grep -q "No errors" shown || fail "pkcs11-tool found errors: $(cat shown)"

# --- ssh, to a server that lets in who has the card's key
guide_run "$page" "ssh" "ssh-keygen" >authorized_keys
ssh-keygen -q -t ed25519 -N '' -f host_key
mkdir -p /run/sshd
cat >sshd_config <<END
Port 2222
ListenAddress 127.0.0.1
HostKey $PWD/host_key
AuthorizedKeysFile $PWD/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
PidFile none
ForceCommand echo logged in with a card
END
# In a user namespace with one user sshd cannot become another: there it runs as that one, ada.
sshd_as=() login=$(id -un)
if [ "$(awk '{ n += $3 } END { print n }' /proc/self/uid_map)" = 1 ]; then
    sshd_as=(unshare --user "--map-user=$(id -u ada)" "--map-group=$(id -g ada)")
    login=ada
fi
"${sshd_as[@]}" /usr/sbin/sshd -D -f "$PWD/sshd_config" -E "$PWD/sshd.log" &
sshd=$!
wait_for 10 bash -c ': </dev/tcp/127.0.0.1/2222'
echo "[127.0.0.1]:2222 $(cut -d' ' -f1,2 host_key.pub)" >known_hosts
# What "server" is, in place of a name on the network.
cat >server.conf <<END
Host server
    HostName 127.0.0.1
    Port 2222
    User $login
    UserKnownHostsFile $PWD/known_hosts
    PreferredAuthentications publickey
END
cp server.conf ssh_config
mount --bind ssh_config /etc/ssh/ssh_config
guide_run "$page" "ssh" "ssh -o" >shown
grep -q "logged in with a card" shown || fail "ssh printed: $(cat shown)"
guide_lines "$page" "ssh" "Host" >>ssh_config
expect_output "logged in with a card" guide_program ssh server
kill "$sshd"
umount /etc/ssh/ssh_config

# --- openssl, and curl to a server that wants a certificate of our CA
guide_lines "$page" "openssl" "openssl_conf" >card.cnf
echo 'I agree. Ada' >letter
guide_run "$page" "openssl" "tessera card certificate" >shown
grep -q "I agree" shown || fail "openssl cms printed: $(cat shown)"
guide_run "$page" "openssl" "pkcs11-tool"
openssl x509 -inform DER -in signature.der -noout -subject | grep -q Lovelace || fail "another certificate"
openssl req -x509 -newkey rsa:2048 -nodes -keyout server.key -out server.pem -days 1 \
    -subj /CN=intranet.example.org -addext subjectAltName=DNS:intranet.example.org 2>/dev/null
openssl s_server -accept 127.0.0.1:443 -cert server.pem -key server.key -CAfile ca.pem \
    -Verify 3 -verify_return_error -www -quiet >server.log 2>&1 &
server=$!
wait_for 10 bash -c ': </dev/tcp/127.0.0.1/443'
printf '%s\n' "cacert = $PWD/server.pem" 'resolve = intranet.example.org:443:127.0.0.1' silent 'max-time = 60' \
    >"$HOME/.curlrc"
guide_run "$page" "curl and other TLS clients" >shown
grep -q 'Client certificate' shown || fail "the server saw no client certificate: $(cat shown)"
kill "$server"

# --- what make install puts in its place, for this system alone
mkdir modules
sed "s|^module:.*|module: $TESSERA_PKCS11_MODULE|" "$TESSERA_BUILD/data/tessera.module" >modules/tessera.module
mount --bind modules /usr/share/p11-kit/modules
guide_run "$page" "Programs that use p11-kit" >shown
grep -q "Ada Lovelace\|Ada%20Lovelace" shown || fail "p11-kit shows no card: $(cat shown)"
umount /usr/share/p11-kit/modules
mkdir -p "$HOME/.pki/nssdb"
certutil -N -d "sql:$HOME/.pki/nssdb" --empty-password
guide_types 'to continue=' 'PIN=271828'
guide_run "$page" "Browsers"
foreign certutil -L -h all -d "sql:$HOME/.pki/nssdb" -f pin >shown 2>&1 || true
grep -q "Ada Lovelace" shown || fail "NSS does not list the card's certificates: $(cat shown)"
