#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Runs modules_target 200 times, then 20 times each with a library and with a file that is gone. All lie where it is started.
set -e
i=0
while [ $i -lt 200 ]; do
	./modules_target
	i=$((i + 1))
done
i=0
while [ $i -lt 20 ]; do
	./modules_target ./library.so
	cp modules_target gone
	./gone unlink
	i=$((i + 1))
done
