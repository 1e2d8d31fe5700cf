#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# npm.sh FOLDER: what npm/package-lock.json names, in FOLDER/node_modules. Downloads once; no package's scripts run.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
cd "$1"
cmp -s "$here/npm/package-lock.json" installed.json && exit 0
cp "$here/npm/package.json" "$here/npm/package-lock.json" .
npm ci --ignore-scripts --no-audit --no-fund
cp package-lock.json installed.json
