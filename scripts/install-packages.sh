#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# install-packages.sh demo|test|aarch64|projects|bench: installs the Debian packages that are missing for that. Needs root only when something is
# missing; says what to install when it is not root.
set -eu

bpf="clang libbpf-dev bpftool libncurses-dev" # cprof-record
build="gcc g++ make cmake ninja-build pkg-config binutils libc6-dev liblz4-dev libelf-dev libdw-dev zlib1g-dev libxxhash-dev libiberty-dev $bpf"
test="$build clang libclang-rt-14-dev llvm lld libcmocka-dev jq lz4 dpkg-dev xz-utils ca-certificates file groff libxml2-utils"
test="$test golang-go valgrind protobuf-compiler nodejs npm chromium" # those that read our exports
test="$test tcl" # SQLite's own build
test="$test heaptrack libjemalloc2 libtcmalloc-minimal4 python3 libpython3-dev" # what allocations are compared with, and hosts for the interposer
test="$test strace bpftrace linux-perf e2fsprogs" # what cprof-record is compared with, and where it sees a block device
test="$test zsh man-db" # completions and manual pages
test="$test tmux" # the dashboard is driven in it
projects="$test autoconf automake libtool flex bison meson libonig-dev libgtest-dev libgmock-dev libbenchmark-dev"
bench="$test uftrace"
# Another machine's libraries beside ours (apt's multiarch), its compiler and its emulator.
aarch64="gcc-aarch64-linux-gnu g++-aarch64-linux-gnu qemu-user-static"
for package in liblz4-dev libelf-dev libdw-dev zlib1g-dev libxxhash-dev libiberty-dev libcmocka-dev libstdc++6; do
	aarch64="$aarch64 $package:arm64"
done

case ${1:-} in
demo) wanted=$build ;;
test) wanted=$test ;;
aarch64) wanted=$aarch64 ;;
projects) wanted=$projects ;;
bench) wanted=$bench ;;
*)
	echo "usage: $0 demo|test|aarch64|projects|bench" >&2
	exit 2
	;;
esac

missing=
for package in $wanted; do
	[ "$package" = npm ] && command -v npm >/dev/null && continue # a nodejs that is not Debian's brings its own
	dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing="$missing $package"
done
if [ -z "$missing" ]; then
	echo "packages: all there"
	exit 0
fi
if [ "$(id -u)" != 0 ]; then
	echo "These packages are missing. As root:" >&2
	case $missing in
	*:arm64*) echo "    dpkg --add-architecture arm64 && apt-get update" >&2 ;;
	esac
	echo "    apt-get install --no-install-recommends$missing" >&2
	exit 1
fi
echo "packages: installing$missing"
export DEBIAN_FRONTEND=noninteractive
case $missing in
*:arm64*) dpkg --add-architecture arm64 ;;
esac
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086
apt-get -q -o Acquire::Retries=3 update >"$log" 2>&1 &&
	apt-get -q -y -o Acquire::Retries=3 install --no-install-recommends $missing >>"$log" 2>&1 || {
	tail -30 "$log"
	echo "packages: apt-get failed" >&2
	exit 1
}
