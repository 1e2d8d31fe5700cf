#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# fetch.sh CACHE PACKAGE: unpacks a Debian source package into CACHE/PACKAGE, once.
#
# The source entries are made from the machine's own apt configuration and live in CACHE/apt; the system's lists stay untouched.
# Their code is used to test with and is never committed.
set -eu
mkdir -p "$1"
cache=$(cd "$1" && pwd)
package=$2
[ -e "$cache/$package/.complete" ] && exit 0

exec 9>"$cache/lock"
flock 9
[ -e "$cache/$package/.complete" ] && exit 0

private_apt() {
	apt-get -q -o Dir::Etc::SourceList="$cache/apt/sources.list" -o Dir::Etc::SourceParts="$cache/apt/parts" \
		-o Dir::State::Lists="$cache/apt/lists" -o Dir::Cache="$cache/apt/cache" -o APT::Sandbox::User=root \
		-o APT::Update::Error-Mode=any -o Acquire::Retries=3 "$@"
}

# Debian's main archive only: others need not have sources, and security updates come there with the next point release.
if [ ! -e "$cache/apt/complete" ]; then
	echo "fetch: apt lists of source packages"
	rm -rf "$cache/apt"
	mkdir -p "$cache/apt/parts" "$cache/apt/lists/partial" "$cache/apt/cache/archives/partial"
	cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
		sed -nE '/\/debian\/? /s/^deb /deb-src /p' >"$cache/apt/sources.list"
	for file in /etc/apt/sources.list.d/*.sources; do
		[ -e "$file" ] || continue
		# A stanza an archive; several may stand in a file.
		awk 'BEGIN { RS = ""; ORS = "\n\n" } /(^|\n)URIs:[^\n]*\/debian\/?(\n|$)/' "$file" |
			sed 's/^Types:.*/Types: deb-src/' >"$cache/apt/parts/$(basename "$file")"
	done
	private_apt update
	touch "$cache/apt/complete"
fi

echo "fetch: source package $package"
rm -rf "$cache/download-$package" "${cache:?}/$package"
mkdir -p "$cache/download-$package"
cd "$cache/download-$package"
private_apt source --download-only "$package"
dpkg-source --no-check --no-copy --extract ./*.dsc "$cache/$package"
touch "$cache/$package/.complete"
rm -rf "$cache/download-$package"
