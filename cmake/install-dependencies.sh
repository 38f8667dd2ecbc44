#!/bin/sh
# Installs what hltest is built from, on Debian 12 or later and Ubuntu 24.04 or later. Asks for root's
# rights by sudo where it does not have them; does nothing where all is there.
#   install-dependencies.sh [--development]   with it also what .ci/run checks the tree with
set -eu

packages="cmake g++ make ninja-build nasm libgtest-dev libgmock-dev libfmt-dev libzydis-dev libcli11-dev
          nlohmann-json3-dev libbenchmark-dev"
if [ "${1:-}" = --development ]; then
  packages="$packages clang clang-format clang-tidy clang-tools libclang-rt-dev git"
fi

missing=""
for package in $packages; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q ' installed$' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root=""
[ "$(id -u)" = 0 ] || as_root=sudo
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -q
# shellcheck disable=SC2086
$as_root apt-get install -y -q --no-install-recommends $missing
