# SPDX-License-Identifier: BSD-2-Clause
# Sourced by the tests of cprof-record without BPF, with $build set: a folder of their own, in which nobody runs programs without a right.
# shellcheck disable=SC2154
[ "$(id -u)" = 0 ] || { echo "skipped: only root can become somebody without rights"; exit 77; }

may_use_perf_events() {
	[ "$(cat /proc/sys/kernel/perf_event_paranoid)" -le 2 ] || { echo "skipped: kernel.perf_event_paranoid allows nobody perf events"; exit 77; }
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
# Everything that nobody needs lies here: the tree of the build may be closed to others.
mkdir bin lib && cp "$build/bpf/cprof-record" bin && cp "$build"/runtime/libcprof*.so* lib || { echo "FAILED: the programs are not built"; exit 1; }
export LD_LIBRARY_PATH="$work/lib"
chmod 777 .

as_nobody() { # CAPABILITIES COMMAND...: "-all" or "-all,+perfmon"
	capabilities=$1
	shift
	raised=$(echo "$capabilities" | sed 's/-all,*//')
	setpriv --reuid=65534 --regid=65534 --clear-groups ${raised:+"--inh-caps=$raised"} ${raised:+"--ambient-caps=$raised"} "--bounding-set=$capabilities" -- "$@"
}
