# SPDX-License-Identifier: LGPL-2.1-or-later
# Another machine: the sandbox with its daemon is server.example.org, which ssh reaches, and "near" is
# a machine without any of it. After tests/lib/sandbox.sh and tests/lib/programs.sh:
#
#     far_machine            starts sshd on the sandbox's loopback, port 22; keys and known hosts are in /etc/ssh
#     start_far_sshd         the same with what is in /etc/ssh now, after stop_server
#     near CMD...            run CMD on a machine that has tessera and ssh, but no tesserad, pcscd or
#                            bus. $far is whom it logs in as: USER@server.example.org
#     far_uid                the user id that ssh's user has at the server
#     end_ssh                end the connections that sshd holds, as a link that breaks
# shellcheck shell=bash

far_machine() {
    local user=ada set_env
    private_folder /etc/ssh
    host_is_here server.example.org
    ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/host_key
    ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/near_key
    cp /etc/ssh/near_key.pub /etc/ssh/authorized_keys
    echo "server.example.org $(cut -d' ' -f1,2 /etc/ssh/host_key.pub)" >/etc/ssh/ssh_known_hosts
    set_env="PATH=$TESSERA_BUILD:/usr/bin:/bin"
    [ -z "$TESSERA_PRELOAD" ] || set_env+=" ASAN_OPTIONS=$ASAN_OPTIONS UBSAN_OPTIONS=$UBSAN_OPTIONS"
    cat >/etc/ssh/sshd_config <<END
ListenAddress 127.0.0.1
HostKey /etc/ssh/host_key
AuthorizedKeysFile /etc/ssh/authorized_keys
StrictModes no
UsePAM no
PidFile none
PrintLastLog no
PasswordAuthentication no
SetEnv $set_env
END
    cat >/etc/ssh/ssh_config <<END
Host desk
    HostName server.example.org
    User $user
Match originalhost desk,*server.example.org
    IdentityFile /etc/ssh/near_key
Host *
    UserKnownHostsFile none
    StrictHostKeyChecking yes
    BatchMode yes
END
    export far=$user@server.example.org
    start_far_sshd
}

start_far_sshd() {
    local sshd=(/usr/sbin/sshd -D -e -f /etc/ssh/sshd_config)
    # In a user namespace with one user sshd cannot become another: there it runs as that one, ada.
    if [ "$(awk '{ n += $3 } END { print n }' /proc/self/uid_map)" = 1 ]; then
        sshd=(unshare --user "--map-user=$(id -u ada)" "--map-group=$(id -g ada)" "${sshd[@]}")
        echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start
    fi
    mkdir -p /run/sshd
    start_server 22 "${sshd[@]}"
}

far_uid() {
    if [ "$(awk '{ n += $3 } END { print n }' /proc/self/uid_map)" = 1 ]; then
        id -u
    else
        id -u ada
    fi
}

near() {
    # shellcheck disable=SC2016
    env -u TESSERA_SESSION -u TESSERA_SOCKET -u DBUS_SYSTEM_BUS_ADDRESS unshare --mount sh -c '
        for folder in /run/tessera /run/dbus /run/pcscd; do mount -t tmpfs none "$folder" || exit 96; done
        exec "$@"' near "$@"
}

# sshd's processes of each connection, not the one that listens.
end_ssh() {
    local pid
    # shellcheck disable=SC2154 # of start_server
    for pid in $(pgrep -x sshd); do
        [ "$pid" = "$server_pid" ] || kill -KILL "$pid" 2>/dev/null || true
    done
}
