#!/bin/sh
# Installs the packages that hltest is built with, on Debian 12 or later and Ubuntu 24.04 or later. Uses
# sudo unless it runs as root. Does nothing if all packages are installed.
#   install-dependencies.sh [--development]   with --development, also those that .ci/run needs
set -eu

packages="cmake g++ make ninja-build nasm libgtest-dev libgmock-dev libfmt-dev libzydis-dev libcli11-dev
          nlohmann-json3-dev libbenchmark-dev"
if [ "${1:-}" = --development ]; then
  packages="$packages clang clang-format clang-tidy clang-tools libclang-rt-dev git
            syslinux-common grub-pc-bin mbr mtools dosfstools fdisk gdisk qemu-system-x86"
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
