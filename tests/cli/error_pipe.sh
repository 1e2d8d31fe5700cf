# SPDX-License-Identifier: BSD-2-Clause
# A reader that has seen enough: status 1 and not a word.
mkfifo pipe
{ sleep 0.2; cprof-analyze flat $P plain.lz4; echo "status $?" >status; } >pipe &
exec 3<pipe
exec 3<&-
wait
cat status
