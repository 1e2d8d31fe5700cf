#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# record_samples_test.sh CASE BUILD: samples of the CPU: how many, in which context, and what their stacks and addresses are called.
set -u
. "$(dirname "$0")/record-env.sh"

# Samples lie where the context says, and there are as many as there should be.
case_samples() {
	record --cpu -F 997 -- record_target spin 800 || fail "status $?"
	check_sound
	check "in spin_a the context is 1010, in spin_b 1011" '
		$out[0] as $o | [.[] | select(.record == "sample" and .kernel == 0 and (.ip - .ip % 4096 | . == $o.spin_a or . == $o.spin_b))] | length > 100 and
		all(.who.quality == 1 and .who.context == (if .ip - .ip % 4096 == $o.spin_a then 1010 else 1011 end))' --slurpfile out out
	check "equal work, equal shares: within 3 sigma" '
		[.[] | select(.record == "sample" and .who.context >= 1010)] | group_by(.who.context) | map(length) |
		length == 2 and ((.[0] - .[1]) | fabs) <= 3 * ((add) | sqrt) + 4'
	check "as many as the CPU time asks for: within 3 sigma" '
		(.[] | select(.record == "thread" and .samples > 0)) as $t | (map(select(.record == "sample")) | length) as $n | ($t.on_cpu_ns * 997 / 1e9) as $expected |
		$n == $t.samples and (($n - $expected) | fabs) <= 3 * ($expected | sqrt)'
	check "each has a stack of the user, and stands for a period" \
		'[.[] | select(.record == "sample" and .kernel == 0 and .who.context >= 1010)] | all(.user_stack != 0 and .period_ns > 1e6 and .period_ns < 1.01e6)'
}

# What stacks of samples really say. With frame pointers all callers, but not the one of a leaf without a frame (libc's memset); without frame pointers the
# leaf alone, perhaps above a word that is no frame and has no name; of an instrumented program the recorded path, and the leaf below it.
leaf_path() { # TRACE LEAF: the functions of the program above the leaf on the hottest path to it, the leaf too if it is one of them
	cprof-analyze cpu --format=json "$1" | jq -c --arg leaf "$2" '[.leaves[] | select(.name | test($leaf))] | max_by(.samples) | .hottest_path | map(select(test("not traced|^_|^main$|unknown") | not))'
}
case_stacks() {
	PATH=$build/cc-wrapper:$PATH
	cat >stacks.c <<-'END'
		#include <string.h>
		#include <time.h>
		volatile unsigned long sink;
		static char bytes[1 << 16];
		__attribute__((noinline, no_instrument_function)) static int over(int ms)
		{
			struct timespec time;
			clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
			return time.tv_sec * 1000 + time.tv_nsec / 1000000 >= ms;
		}
		__attribute__((noinline)) void c_spin(void) { for (int i = 0; i < 1000000; i++) sink += i; }
		__attribute__((noinline)) void c_set(void) { for (int i = 0; i < 1000; i++) memset(bytes, i, sizeof bytes); sink++; }
		__attribute__((noinline)) void b(int ms) { while (!over(ms)) { c_spin(); c_set(); } sink++; }
		__attribute__((noinline)) void a(int ms) { b(ms); sink++; }
		int main(void) { a(500); return 0; }
	END
	gcc -g -O0 -fno-builtin -o frames stacks.c || fail "gcc"
	gcc -g -O1 -fno-builtin -fno-optimize-sibling-calls -fomit-frame-pointer -o none stacks.c || fail "gcc"
	cprof-cc -g -O1 -fno-builtin -fno-optimize-sibling-calls -o recorded stacks.c || fail "cprof-cc"
	for how in frames none recorded; do
		rm -f t.lz4 t.bpf.lz4
		record --cpu -F 997 -- ./$how || fail "$how: status $?"
		trace=t.lz4
		[ $how = recorded ] || trace=t.bpf.lz4
		check "$how: samples in the program's own code are at least half" '[.[] | select(.record == "sample" and .kernel == 0)] | length > 300'
		echo "$how: $(leaf_path $trace '^c_spin$') $(leaf_path $trace memset)"
		case $how in
		frames) spin='["a","b","c_spin"]' set='["a","b"]' ;; # memset's caller, c_set, is in no frame
		none) spin='["c_spin"]' set='[]' ;;
		recorded) spin='["a","b","c_spin"]' set='["a","b","c_set"]' ;;
		esac
		[ "$(leaf_path $trace '^c_spin$')" = "$spin" ] || fail "$how: c_spin is not under $spin"
		[ "$(leaf_path $trace memset)" = "$set" ] || fail "$how: memset is not under $set"
	done
}

# Programs that are over before anybody could look at them, and libraries that they had for a moment: their samples have a file, and that is the right one.
case_modules() {
	gcc -O1 "$here/modules_target.c" -o modules_target -ldl && gcc -O1 -shared -fPIC "$here/modules_target.c" -o library.so || fail gcc
	record --cpu -F 9999 -- sh "$here/modules_load.sh" || fail "status $?"
	not_so=$(jq -sr -f "$here/modules_test.jq" facts.json)
	[ -z "$not_so" ] || fail "not so: $not_so"
	cprof-analyze cpu --format=json t.bpf.lz4 | jq -e '[.leaves[] | select(.name == "burn")] as $burn | ($burn | map(.samples) | add) > 1000' >/dev/null ||
		fail "burn has no name"
}

# Of two libraries that had the same place one after the other nobody knows which one a sample was of: it has the name of neither.
case_modules_in_turn() {
	cat >library.c <<-'END'
		#include <time.h>
		volatile unsigned long sink;
		static long cpu_ms(void) { struct timespec t; clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); return t.tv_sec * 1000 + t.tv_nsec / 1000000; }
		void NAME(int ms) { for (long end = cpu_ms() + ms; cpu_ms() < end;) for (int i = 0; i < 100000; i++) sink += i; }
	END
	cat >host.c <<-'END'
		#include <dlfcn.h>
		#include <stdlib.h>
		static void *run(const char *path, const char *name, int ms)
		{
			void *library = dlopen(path, RTLD_NOW);
			void (*function)(int) = library ? (void (*)(int))dlsym(library, name) : NULL;
			if (!function)
				exit(1);
			function(ms);
			dlclose(library);
			return (void *)function;
		}
		int main(void) { void *a = run("./a.so", "alpha", 100), *b = run("./b.so", "beta_", 100); return run("./a.so", "alpha", 300) == a && a == b ? 0 : 3; }
	END
	gcc -O1 -shared -fPIC -DNAME=alpha library.c -o a.so && gcc -O1 -shared -fPIC -DNAME=beta_ library.c -o b.so && gcc host.c -o host -ldl || fail gcc
	record --cpu -F 997 -- ./host
	[ $? != 3 ] || { echo "the libraries have places of their own here"; return; }
	cprof-analyze cpu --format=json t.bpf.lz4 | jq -e '[.leaves[] | select(.name == "alpha" or .name == "beta_")] == [] and ([.leaves[] | select(.name == "[unknown]").samples] | add) > 300' >/dev/null ||
		{ cprof-analyze cpu t.bpf.lz4 | head -20; fail "a name that may be wrong"; }
}

# Without a word from the kernel on mappings - no perf events, or a ring that overflowed - those who live are looked at.
case_modules_untold() {
	gcc "$here/refuse_perf.c" -o refuse && gcc -O1 "$here/modules_target.c" -o modules_target -ldl &&
		gcc -O1 -shared -fPIC "$here/modules_target.c" -o library.so || fail gcc
	./refuse cprof-record -o t.lz4 --off-cpu -- sh -c 'sleep 0.1; exec sleep 0.2' 2>err || fail "status $?"
	grep -q "names of programs that end at once may be missing" err || fail "it is not said"
	cprof-analyze off-cpu t.bpf.lz4 >off.txt || fail off-cpu
	[ "$(grep -c " sleep  *sleep \[[0-9]*\], not traced: .*nanosleep" off.txt)" = 2 ] && grep -q "sh \[[0-9]*\], not traced: .*wait4" off.txt ||
		{ cat off.txt; fail "an image that lived has no names"; }
	record --cpu -F 997 -- ./modules_target ./library.so late || fail "status $?"
	[ "$(counter mappings.lost)" -gt 0 ] || fail "nothing was lost"
	check "what was loaded meanwhile has a name" '[.[] | select(.record == "sample" and (.module // "" | endswith("/library.so")))] | length > 20'
}

# Threads that live for less than a period are sampled as often as their CPU time asks for; a timer per task would see none of them.
case_samples_of_brief_threads() {
	record --cpu -F 50 -- record_target brief 250 || fail "status $?"
	check "as many samples as the CPU time of all asks for" '
		([.[] | select(.record == "thread") | .on_cpu_ns] | add) as $cpu | ([.[] | select(.record == "sample")] | length) as $n |
		$n >= $cpu * 50 / 1e9 * 0.6 and $n <= $cpu * 50 / 1e9 * 1.4 + 4'
}

# Programs at every system call take no sample away (plain tracepoints would: nearly all).
case_samples_kept() {
	for _ in 1 2 3; do # while a host takes the processor away no timer strikes, though the time counts as the thread's: the best of three
		record --all -F 4999 -- record_target syscalls 1600 || fail "status $?"
		check "each sample that was taken is there" '(map(select(.record == "thread").samples) | add) == (map(select(.record == "sample")) | length)'
		kept=$(jq -s '(.[] | select(.record == "thread" and .samples > 0)) | .samples / (.on_cpu_ns * 4999 / 1e9) * 10000 | floor' facts.json)
		[ "$kept" -lt 9900 ] || break
	done
	[ "$kept" -ge 9900 ] || fail "of the samples that the CPU time asks for, with every source on, $kept of 10,000 are there"
	check "nearly all in the context" '
		[.[] | select(.record == "sample")] | (map(select(.who.context == 1010)) | length) >= 0.95 * length and (map(select(.kernel == 1 and .kernel_stack != 0)) | length) > 0.3 * length'
}

# Samples from the first instruction on, 10,000/s: none comes before what it is to be put into is there.
case_samples_from_the_start() {
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		record --cpu -F 9999 -- record_target spin 10 || fail "status $?"
		check_sound
		check "nothing lost" '[.[] | select(.record == "counter" and .is_loss != 0 and .value != 0) | select(.name | test("^(kernel-symbols|modules)[.]") | not)] == []'
		check "each that was taken is there" '(map(select(.record == "thread").samples) | add) == (map(select(.record == "sample")) | length)'
	done
}

run_case
