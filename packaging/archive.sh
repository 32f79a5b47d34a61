#!/bin/sh
# Makes the archive of a release from a binary, for one target:
#
#   sh packaging/archive.sh BINARY TARGET VERSION OUTPUT_DIR
#
# The binary must run on this machine: it writes its own man pages and completions. The archive is a .zip for Windows (with 7-Zip), else
# a .tar.gz.
set -eu

[ $# -eq 4 ] || {
    sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
    exit 2
}
binary=$1 target=$2 version=$3 output=$4
root=$(cd "$(dirname "$0")/.." && pwd)
name=twinsite-$version-$target
mkdir -p "$output"
output=$(cd "$output" && pwd)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
folder=$work/$name
mkdir -p "$folder/completions"
cp "$binary" "$folder/"
cp "$root/README.md" "$root/CHANGELOG.md" "$root/LICENSE-MIT" "$root/LICENSE-APACHE" "$folder/"
"$binary" man "$folder/man" >/dev/null
"$binary" completions bash >"$folder/completions/twinsite.bash"
"$binary" completions zsh >"$folder/completions/_twinsite"
"$binary" completions fish >"$folder/completions/twinsite.fish"
"$binary" completions powershell >"$folder/completions/twinsite.ps1"
"$binary" completions elvish >"$folder/completions/twinsite.elv"

case $target in
*windows*) (cd "$work" && 7z a -tzip -bso0 "$output/$name.zip" "$name") && echo "$output/$name.zip" ;;
*) tar -czf "$output/$name.tar.gz" -C "$work" "$name" && echo "$output/$name.tar.gz" ;;
esac
