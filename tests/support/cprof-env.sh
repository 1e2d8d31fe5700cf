# SPDX-License-Identifier: BSD-2-Clause
# Sourced by the test scripts, with $build set: the programs of this build tree, how to compile with each kind of runtime, and how to say that a test fails.
cprof_analyze=$build/analyzer/cprof-analyze
cprof_run=
if [ -x "$build/tests/emulated/run" ]; then # a tree for another machine: its programs run with $cprof_run in front
	cprof_analyze=$build/tests/emulated/cprof-analyze
	cprof_run=$build/tests/emulated/run
fi
unset CPROF_OUTPUT CPROF_MODE CPROF_LOG CPROF CPROF_WRAPPER
export LC_ALL=C

# How a test says what is wrong: and goes on ($failures counts), or not; 77 is ctest's SKIP_RETURN_CODE.
failures=0
fail() {
	echo "FAILED: $*"
	failures=$((failures + 1))
}
die() {
	echo "FAILED: $*"
	exit 1
}
skip() {
	echo "skipped: $*"
	exit 77
}

# cprof_cc COMPILER LINK ARGUMENT...: cprof-cc with that compiler; `archive` is libcprof.a in a dynamic executable.
cprof_cc() {
	cprof_cc_compiler=$1 cprof_cc_link=$2
	shift 2
	case $cprof_cc_link in
	shared) CPROF_CC=$cprof_cc_compiler "$build/cc-wrapper/cprof-cc" "$@" ;;
	static | static-pie) CPROF_CC=$cprof_cc_compiler "$build/cc-wrapper/cprof-cc" "$@" "-$cprof_cc_link" ;;
	*) cprof_cc_archive "$cprof_cc_compiler" "$@" ;;
	esac
}

cprof_cxx() {
	cprof_cxx_compiler=$1 cprof_cxx_link=$2
	shift 2
	case $cprof_cxx_compiler in
	*gcc) cprof_cxx_compiler=${cprof_cxx_compiler%gcc}g++ ;;
	clang) cprof_cxx_compiler=clang++ ;;
	esac
	case $cprof_cxx_link in
	shared) CPROF_CXX=$cprof_cxx_compiler "$build/cc-wrapper/cprof-c++" "$@" ;;
	static | static-pie) CPROF_CXX=$cprof_cxx_compiler "$build/cc-wrapper/cprof-c++" "$@" "-$cprof_cxx_link" ;;
	*) cprof_cc_archive "$cprof_cxx_compiler" "$@" ;;
	esac
}

# Without the wrapper: what it adds, written out, so that a program can also be built by hand as the documentation says.
cprof_cc_archive() {
	cprof_cc_archive_compiler=$1
	shift
	"$cprof_cc_archive_compiler" -finstrument-functions "$@" -fno-omit-frame-pointer -mno-omit-leaf-frame-pointer \
		-Wl,-u,__cyg_profile_func_enter -Wl,-u,__cyg_profile_func_exit \
		-Wl,--wrap=swapcontext,--wrap=setcontext,--wrap=_Fork,--wrap=unshare,--wrap=setns \
		-Wl,-u,__wrap_swapcontext,-u,__wrap__Fork,-u,__wrap_unshare,-u,__wrap_setns "$build/runtime/libcprof.a" -pthread -ldl
}
