#!/bin/sh
# Installs twinsite from the archive of a release, after its checksum has been compared with that of the release's SHA256SUMS.
#
#   sh install.sh [--version VERSION] [--prefix DIR] [--target TARGET] [--base-url URL]
#
# The same by environment variables: TWINSITE_VERSION, TWINSITE_PREFIX, TWINSITE_TARGET, TWINSITE_BASE_URL. Nothing is changed below
# the prefix unless the checksum is right. Needs curl or wget, tar, and sha256sum or shasum.
set -eu

version=${TWINSITE_VERSION:-latest}
prefix=${TWINSITE_PREFIX:-${HOME:-}/.local}
target=${TWINSITE_TARGET:-}
base=${TWINSITE_BASE_URL:-https://github.com/twinsite/twinsite/releases}

fail() {
    echo "error: $*" >&2
    exit 1
}

while [ $# -gt 0 ]; do
    case $1 in
    --help | -h)
        sed -n '2,7s/^# \{0,1\}//p' "$0"
        exit 0
        ;;
    --version | --prefix | --target | --base-url)
        [ $# -gt 1 ] || fail "$1 needs a value"
        case $1 in
        --version) version=$2 ;;
        --prefix) prefix=$2 ;;
        --target) target=$2 ;;
        --base-url) base=$2 ;;
        esac
        shift 2
        ;;
    *) fail "unknown argument: $1" ;;
    esac
done
version=${version#v}

if [ -z "$target" ]; then
    case $(uname -s) in
    Linux)
        # Statically linked, so that it runs with any C library.
        system=unknown-linux-musl
        ;;
    Darwin) system=apple-darwin ;;
    *) fail "there is no archive for $(uname -s): see docs/src/install.md of the repository" ;;
    esac
    case $(uname -m) in
    x86_64 | amd64) target=x86_64-$system ;;
    aarch64 | arm64) target=aarch64-$system ;;
    *) fail "there is no archive for $(uname -m): install from source" ;;
    esac
fi

download() {
    if command -v curl >/dev/null; then
        curl --fail --silent --show-error --location --retry 3 --output "$2" "$1"
    elif command -v wget >/dev/null; then
        wget --quiet --output-document="$2" "$1"
    else
        fail "neither curl nor wget is installed"
    fi || fail "could not download $1"
}

digest() {
    if command -v sha256sum >/dev/null; then
        sha256sum "$1" | cut -d ' ' -f 1
    elif command -v shasum >/dev/null; then
        shasum -a 256 "$1" | cut -d ' ' -f 1
    else
        fail "neither sha256sum nor shasum is installed"
    fi
}

if [ "$version" = latest ]; then
    files=$base/latest/download
else
    files=$base/download/v$version
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# The list of checksums names the archive, and so the version, of the latest release.
download "$files/SHA256SUMS" "$work/SHA256SUMS"
line=$(grep -E "^[0-9a-f]{64} [ *]twinsite-[0-9][^ /]*-$target\.tar\.gz\$" "$work/SHA256SUMS") ||
    fail "the release has no archive for $target"
[ "$(printf '%s\n' "$line" | wc -l)" -eq 1 ] || fail "the release has several archives for $target"
expected=$(printf '%s' "$line" | cut -d ' ' -f 1)
archive=$(printf '%s' "$line" | cut -c 67-)
folder=${archive%.tar.gz}

download "$files/$archive" "$work/$archive"
actual=$(digest "$work/$archive")
[ "$actual" = "$expected" ] ||
    fail "the checksum of $archive is $actual, not $expected: nothing was installed"

tar -xzf "$work/$archive" -C "$work"
[ -x "$work/$folder/twinsite" ] || fail "$archive has no executable twinsite"

mkdir -p "$prefix/bin" "$prefix/share/man/man1" "$prefix/share/bash-completion/completions" \
    "$prefix/share/zsh/site-functions" "$prefix/share/fish/vendor_completions.d"
cp "$work/$folder"/man/*.1 "$prefix/share/man/man1/"
cp "$work/$folder/completions/twinsite.bash" "$prefix/share/bash-completion/completions/twinsite"
cp "$work/$folder/completions/_twinsite" "$prefix/share/zsh/site-functions/_twinsite"
cp "$work/$folder/completions/twinsite.fish" "$prefix/share/fish/vendor_completions.d/twinsite.fish"
# Renamed into place, so that a running twinsite is not overwritten.
cp "$work/$folder/twinsite" "$prefix/bin/.twinsite.new"
mv -f "$prefix/bin/.twinsite.new" "$prefix/bin/twinsite"

echo "installed $("$prefix/bin/twinsite" --version) as $prefix/bin/twinsite"
case :${PATH:-}: in
*":$prefix/bin:"*) ;;
*) echo "add $prefix/bin to PATH" ;;
esac
