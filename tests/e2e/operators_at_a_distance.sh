#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# a machine without a daemon issues cards at a server by ssh, and every fault on the way is said clearly
# sandbox: --cards blank,blank
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/programs.sh
source "$TESSERA_SOURCE/tests/lib/programs.sh"
# shellcheck source=tests/lib/far.sh
source "$TESSERA_SOURCE/tests/lib/far.sh"

need ssh /usr/sbin/sshd
cd "$TESSERA_SANDBOX/tmp"
far_machine

echo "# status from a machine without a daemon"
expect_failure 8 near tessera status
near tessera --host "$far" status
