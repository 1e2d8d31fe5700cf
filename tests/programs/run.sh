#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# One program from source to answer: run.sh BUILD SOURCE COMPILER LINK [FLAG...]
#
# Builds SOURCE with cprof-cc (COMPILER: gcc or clang; LINK: shared, static, static-pie, or archive: libcprof.a in a dynamic
# executable), runs it and checks what cprof-analyze says. What it has to say stands in the program's first comment; lines of the
# same form that the program prints count too:
#
#     calls: f=23 g=101        exact calls of functions, over all traces of the run
#     flat|tree|unroll|info: EXPRESSION   jq, true on that command's JSON (info: its "trace" object); helpers are in check.jq
#     exit: N                  status of the program, else 0
#     traces: N                files it leaves, else 1
#
# Checked for every program: nothing on stderr from cprof, `cprof-analyze check` passes, what ended cleanly passes `lz4 -t` and leaves no live file,
# sums of calls agree between commands, times add up in every node. Exit status 0 when all of it holds.
set -u
build=$1 source=$2 compiler=$3 link=$4
shift 4
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../support/cprof-env.sh"

stem=$(basename "$source")
work=$build/tests/work/programs/$stem-$compiler-$link$(printf '%s' "$*" | tr -c 'A-Za-z0-9\n' _)
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 1

compile() { # OUTPUT SOURCE FLAG...
	compile_output=$1 compile_source=$2
	shift 2
	case $compile_source in
	*.cc) cprof_cxx "$compiler" "$link" -g "$@" "$compile_source" -o "$compile_output" -pthread -lm ;;
	*) cprof_cc "$compiler" "$link" -g "$@" "$compile_source" -o "$compile_output" -pthread -lm ;;
	esac
}

case $stem in
no_frame_host.c) # by the plain compiler: cprof-cc would keep the frame pointers
	"$compiler" -g "$@" -finstrument-functions -fomit-frame-pointer -fPIE -c "$here/no_frame.c" -o no_frame.o || die "no_frame.c does not build"
	set -- "$@" no_frame.o
	;;
python_plugin.c) # an extension: the program is Debian's python3, which knows nothing of cprof
	include=$(/usr/bin/python3 -c 'import sysconfig; print(sysconfig.get_path("include"))')
	set -- "$@" -shared -fPIC "-I$include"
	mkdir plain && "$compiler" -g "$@" "$source" -o plain/python_plugin.so || die "does not build without cprof"
	;;
esac
compile prog "$source" "$@" || die "does not build"
case $stem in
python_plugin.c)
	mkdir traced && mv prog traced/python_plugin.so
	printf '#!/bin/sh\nexec /usr/bin/python3 "%s/python_plugin.py" "${1:-traced}"\n' "$here" >prog
	chmod +x prog
	;;
allocators.c)
	case " $* " in
	*" -DJEMALLOC "*) friend=libjemalloc.so.2 ;;
	*) friend=libtcmalloc_minimal.so.4 ;;
	esac
	mv prog allocators
	printf '#!/bin/sh\nMALLOC_CONF=background_thread:true LD_PRELOAD=%s exec ./allocators\n' "$friend" >prog
	chmod +x prog
	;;
plugin_host.c | last_round.c)
	cprof_cc "$compiler" shared -g "$@" -shared -fPIC "$here/plugin.c" -o plugin_red.so &&
		cprof_cc "$compiler" shared -g "$@" -shared -fPIC -DBLUE "$here/plugin.c" -o plugin_blue.so || die "plug-ins do not build"
	;;
esac

# Stripped, with the debug file where a debuglink or the build-id leads.
symbols=
case " $* " in
*" -DSPLIT_BY_"*)
	objcopy --only-keep-debug prog prog.debug && strip --strip-all prog || die "prog does not split"
	;;
esac
case " $* " in
*" -DSPLIT_BY_LINK "*)
	mkdir .debug && mv prog.debug .debug/ && objcopy --remove-section=.note.gnu.build-id "--add-gnu-debuglink=.debug/prog.debug" prog || die "no debuglink"
	;;
*" -DSPLIT_BY_BUILD_ID "*)
	build_id=$(readelf -n prog | sed -n 's/.*Build ID: //p')
	[ -n "$build_id" ] || die "prog has no build-id"
	symbols=--symbols=$PWD/symbols debug=symbols/.build-id/$(printf '%.2s' "$build_id")
	mkdir -p "$debug" && mv prog.debug "$debug/${build_id#??}.debug" || die "no folder of build-ids"
	;;
esac

# The expectations: lines " * key: ..." of the comment.
keys='calls|flat|tree|unroll|info|exit|traces'
sed -n '/^\/\*$/,/^ \*\/$/p' "$source" | sed -nE "s/^ \* ($keys): /\1: /p" >expected
value_of() { sed -n "s/^$1: //p" expected; }
want_status=$(value_of exit)
want_traces=$(value_of traces)
case " $* " in
*" -DBY_SIGNAL "*) want_status=134 ;; # SIGABRT, as a shell reports it
*" -DRUNTIME_OFF "*) export CPROF=off ;;
esac

seconds=${cprof_run:+500} # emulated, and perhaps beside other tests
# shellcheck disable=SC2086
timeout "${seconds:-200}" $cprof_run ./prog >stdout 2>stderr
status=$?
cat stderr
[ "$status" = "${want_status:-0}" ] || fail "exit status $status, expected ${want_status:-0}"
grep -q '^cprof\|libcprof' stderr && fail "the runtime wrote to stderr"
grep -E "^($keys): " stdout >>expected

if [ -d plain ]; then
	./prog plain >plain.stdout 2>plain.stderr
	plain_status=$?
	[ $plain_status = $status ] || fail "exit status $status, without cprof $plain_status"
	cmp plain.stdout stdout || fail "another output than without cprof"
	cmp plain.stderr stderr || fail "another standard error than without cprof"
fi

traces=$(ls trace*.lz4 2>/dev/null)
nr_traces=$(printf '%s' "$traces" | grep -c .)
[ "$nr_traces" = "${want_traces:-1}" ] ||
	fail "$nr_traces trace files, expected ${want_traces:-1}: $(ls)"
if [ "$nr_traces" = 0 ]; then
	[ "${want_traces:-1}" = 0 ] && [ -z "$(ls trace* 2>/dev/null)" ] || fail "files were left: $(ls)"
	[ $failures = 0 ] && echo "passed: no trace, as it should be"
	exit $((failures > 0))
fi

for trace in $traces; do
	[ -e "$trace.live" ] || lz4 -t -q "$trace" || fail "lz4 -t $trace"
	"$cprof_analyze" check "$trace" >check.out 2>&1 || { cat check.out; fail "cprof-analyze check $trace"; }
done
# shellcheck disable=SC2086
{
	"$cprof_analyze" info --format=json $traces | jq .trace >info.json || fail "info"
	"$cprof_analyze" flat --format=json $symbols $traces >flat.json || fail "flat"
	"$cprof_analyze" tree --format=json $symbols $traces >tree.json || fail "tree"
	if grep -q '^unroll: ' expected; then
		"$cprof_analyze" tree --recursion=unroll --format=json $symbols $traces >unroll.json || fail "tree --recursion=unroll"
	fi
}
[ "$(jq .clean_exit info.json)" = false ] || [ "$(ls trace*.live 2>/dev/null | wc -l)" = "$(jq .execs info.json)" ] || fail "a clean end left $(ls trace*.live)"
[ $failures = 0 ] || exit 1

# All checks are one jq program: a line of output for each that does not hold.
holds() { # FILE EXPRESSION
	printf ', ($%s[0] | unless(%s; "%s: %s"))\n' "$1" "$2" "$1" "$(printf '%s' "$2" | sed 's/[\\"]/\\&/g')" >>checks.jq
}
{
	echo 'include "check";'
	echo 'def unless(holds; $what): (try (if holds then empty else "false" end) catch .) | "\($what)   (\(.))";'
	echo empty
} >checks.jq
holds info ".lost_events == 0"
holds tree conserved
holds tree '([nodes | .calls] | add) == $info[0].calls'
holds flat '([.functions[].calls] | add) == $info[0].calls'

nr_expected=0
while IFS= read -r line; do
	nr_expected=$((nr_expected + 1))
	key=${line%%: *} value=${line#*: }
	case $key in
	calls)
		for pair in $value; do
			holds flat "calls(\"${pair%=*}\") | if . == ${pair#*=} then true else error(\"recorded \\(.)\") end"
		done
		;;
	flat | tree | unroll | info) holds "$key" "$value" ;;
	esac
done <expected
[ $nr_expected -gt 0 ] || fail "$source expects nothing"
[ -e unroll.json ] || echo null >unroll.json
jq -n -r -L "$here" --slurpfile info info.json --slurpfile flat flat.json --slurpfile tree tree.json --slurpfile unroll unroll.json \
	-f checks.jq >failed 2>&1 || fail "jq"
while IFS= read -r line; do
	fail "$line"
done <failed

if [ $failures != 0 ]; then
	echo "$failures failures; files in $work"
	exit 1
fi
echo "passed: $nr_expected lines of expectations"
