# SPDX-License-Identifier: LGPL-2.1-or-later
# What ./quickstart and ./check share: installing what is missing, and building out of tree.
# shellcheck shell=bash

# The top of the source tree, which this file lies in.
source_tree=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# packages_of GROUP...: the names in tests/lib/packages.
packages_of() {
    local wanted=" $* " name group
    while read -r name group _; do
        case $name in "#"* | "") continue ;; esac
        [[ $wanted != *" $group "* ]] || echo "$name"
    done <"$source_tree/tests/lib/packages"
}

packages_missing() {
    local name
    for name in $(packages_of "$@"); do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] ||
            echo "$name"
    done
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

# Nor at its next start.
disable_services() {
    local name service
    while read -r name service; do
        [[ $'\n'$1$'\n' != *$'\n'$name$'\n'* ]] || as_root systemctl disable --quiet "$service"
    done <<'END'
openssh-server ssh.service
krb5-kdc krb5-kdc.service
sssd-common sssd.service
charon-systemd strongswan.service
wpasupplicant wpa_supplicant.service
END
}

# install_packages GROUP...: installs what is missing. The servers among the packages are wanted as
# programs only, so that Debian is asked not to start them on the machine.
install_packages() {
    local missing policy=/usr/sbin/policy-rc.d
    missing=$(packages_missing "$@")
    [ -n "$missing" ] || return 0
    echo "Installing with apt: ${missing//$'\n'/ }"
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | as_root install -m 0755 /dev/stdin "$policy"
        # shellcheck disable=SC2064
        trap "as_root rm -f $policy" EXIT
    else
        policy=
    fi
    as_root apt-get update -qq </dev/null || return 1
    # shellcheck disable=SC2086
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        $missing </dev/null >/dev/null || return 1
    if [ -n "$policy" ]; then
        as_root rm -f "$policy"
        trap - EXIT
    fi
    [ ! -d /run/systemd/system ] || disable_services "$missing"
}

# Makes configure when it is missing or older than what it is made from.
make_configure() {
    local newer
    newer=$(cd "$source_tree" && find . -path ./build -prune -o \
        \( -name local.mk -o -name Makefile.am -o -name configure.ac \) \
        -newer configure -print 2>&1 | head -n 1)
    if [ -n "$newer" ] || [ ! -e "$source_tree/Makefile.in" ]; then
        (cd "$source_tree" && autoreconf --install --force)
    fi
}

# build_tree FOLDER TARGETS CONFIGURE-OPTION...: configures and builds out of tree. TARGETS is one
# word of make targets separated by commas, made one after the other: "all" runs a make of its own,
# which must not meet another one.
build_tree() {
    local folder=$1 targets=$2 target
    shift 2
    if [[ $source_tree =~ [[:space:]] ]]; then
        echo "The path $source_tree has a space in it, which configure does not take." >&2
        return 1
    fi
    if [ -e "$source_tree/config.status" ]; then
        echo "The source tree itself is configured; 'make distclean' there first." >&2
        return 1
    fi
    mkdir -p "$folder"
    if [ ! -e "$folder/config.status" ] || [ "$source_tree/configure" -nt "$folder/config.status" ] ||
        [ "$(cat "$folder/configured-with" 2>/dev/null)" != "$*" ]; then
        (cd "$folder" && "$source_tree/configure" --quiet "$@" && echo "$*" >configured-with) ||
            return 1
    fi
    for target in ${targets//,/ }; do
        make --directory="$folder" --no-print-directory -j"$(nproc)" "$target" || return 1
    done
}
