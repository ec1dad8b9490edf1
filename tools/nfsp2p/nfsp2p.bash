# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# bash completion for nfsp2p(1).

# Addresses of the providers of this machine.
_nfsp2p_providers() {
	local dir

	for dir in /sys/bus/pci/devices/*/p2pmem; do
		[ ! -d "$dir" ] || basename "$(dirname "$dir")"
	done
}

# The long options that a command's help shows.
_nfsp2p_options() {
	nfsp2p "$1" --help 2>/dev/null | grep -oE '^  +(-[a-zA-Z], )?--[a-z-]+' | grep -oE -- '--[a-z-]+'
}

_nfsp2p() {
	local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}

	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "list check cp bench --help --version" -- "$word")
	elif [ "$previous" = --provider ]; then
		# A BDF has colons, at which readline breaks words.
		mapfile -t COMPREPLY < <(compgen -W "$(_nfsp2p_providers)" -- "$word")
		! declare -F __ltrim_colon_completions >/dev/null || __ltrim_colon_completions "$word"
	elif [ "$previous" = --root ]; then
		mapfile -t COMPREPLY < <(compgen -d -- "$word")
	elif [[ $word == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_nfsp2p_options "${COMP_WORDS[1]}")" -- "$word")
	elif [ "${COMP_WORDS[1]}" != list ]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
	fi
}

complete -o filenames -F _nfsp2p nfsp2p
