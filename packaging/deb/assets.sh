#!/bin/sh
# Writes the man pages and completions that the Debian package contains:
#
#   sh packaging/deb/assets.sh BINARY target/deb-assets
#   cargo deb --no-build --package twinsite
set -eu

[ $# -eq 2 ] || {
    sed -n '2,5s/^# \{0,1\}//p' "$0" >&2
    exit 2
}
binary=$1 output=$2
mkdir -p "$output"
"$binary" man "$output/man" >/dev/null
"$binary" completions bash >"$output/twinsite.bash"
"$binary" completions zsh >"$output/_twinsite"
"$binary" completions fish >"$output/twinsite.fish"
