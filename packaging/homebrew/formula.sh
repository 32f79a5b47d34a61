#!/bin/sh
# Prints the Homebrew formula of a release:
#
#   sh packaging/homebrew/formula.sh VERSION SHA256SUMS > twinsite.rb
set -eu

[ $# -eq 2 ] || {
    sed -n '2,4s/^# \{0,1\}//p' "$0" >&2
    exit 2
}
version=$1 sums=$2
base=https://github.com/twinsite/twinsite

# The address and the checksum of the archive for a target, indented as the formula needs it.
source_of() {
    archive=twinsite-$version-$1.tar.gz
    sum=$(awk -v archive="$archive" '$2 == archive || $2 == "*" archive { print $1 }' "$sums")
    [ -n "$sum" ] || {
        echo "error: $sums does not have $archive" >&2
        exit 1
    }
    printf '      url "%s/releases/download/v%s/%s"\n      sha256 "%s"\n' "$base" "$version" "$archive" "$sum"
}

mac_arm=$(source_of aarch64-apple-darwin)
mac_intel=$(source_of x86_64-apple-darwin)
linux_arm=$(source_of aarch64-unknown-linux-musl)
linux_intel=$(source_of x86_64-unknown-linux-musl)

cat <<FORMULA
class Twinsite < Formula
  desc "Publish a static site that stays up when an AWS region goes down"
  homepage "$base"
  version "$version"
  license any_of: ["MIT", "Apache-2.0"]

  on_macos do
    on_arm do
$mac_arm
    end
    on_intel do
$mac_intel
    end
  end

  on_linux do
    on_arm do
$linux_arm
    end
    on_intel do
$linux_intel
    end
  end

  def install
    bin.install "twinsite"
    man1.install Dir["man/*.1"]
    bash_completion.install "completions/twinsite.bash" => "twinsite"
    zsh_completion.install "completions/_twinsite"
    fish_completion.install "completions/twinsite.fish"
  end

  test do
    (testpath/"public").mkpath
    (testpath/"public/index.html").write "<h1>Hello</h1>"
    system bin/"twinsite", "deploy", "public", "--local", "--apply"
    assert_match "healthy", shell_output("#{bin}/twinsite status --local")
  end
end
FORMULA
