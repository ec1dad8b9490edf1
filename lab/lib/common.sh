# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # sourced: the users are elsewhere
# What every part of the lab needs: paths, messages, root rights, cleaning up.
# Sourced by lab/vm, lab/prepare and packaging/build-modules.

PATH=$PATH:/usr/sbin:/sbin
REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# BUILD in the environment moves everything that is built somewhere else.
BUILD=$(realpath -m "${BUILD:-$REPO/build}")
ROOT=$BUILD/root
PROG=${PROG:-lab}

say() { printf '%s: %s\n' "$PROG" "$*" >&2; }

# die STATUS MESSAGE: one line for people, then leave.
die() {
	local status=$1

	shift
	say "$*"
	exit "$status"
}

usage_error() { die 2 "$* (see $PROG --help)"; }

# Run a command as root: directly, or through sudo.
as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo -- "$@"
	fi
}

# Directories made by as_root belong to root; this one is the caller's.
own() { as_root chown "$(id -u):$(id -g)" "$@"; }

# hash_of: short fingerprint of stdin, for stamps.
hash_of() { sha256sum | cut -c 1-16; }

# fresh STAMP HASH: was STAMP written by a finished step with the same input?
fresh() { [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]; }
