# SPDX-License-Identifier: BSD-2-Clause
# From the numbers bench.sh measured to the page docs/overhead.md. Input: tab separated "key value" and "subject wall cpu main rss".

NF == 2 { value[$1] = $2 }
$1 == "tsc_pair_ns" && (!pair || $2 < pair) { pair = $2 }
NF == 5 { wall[$1] = $2; cpu[$1] = $3; main[$1] = $4; rss[$1] = $5 }

function row(what, limit, got, good) { printf "| %s | %s | %s | %s |\n", what, limit, got, good ? "yes" : "**no**" }

# Added time per call of the main thread, ns.
function per_call(program, kind) { return (main[program "." kind] - main[program ".plain"]) / value[program ".calls"] }

# Rows of the kernel half: `why` says what keeps one from being true.
function kernel_row(what, limit, x, format, most, why) {
	if (kernel_missing)
		why = kernel_missing
	if (why)
		printf "| %s | %s | not measured: %s | |\n", what, limit, why
	else
		row(what, limit, sprintf(format, x), x <= most)
}
function recorder_row(what, kind) {
	came = (kind ".recorder_ns_per_event") in value
	x = value[kind ".recorder_ns_per_event"] / 1e3
	kernel_row("CPU of the recorder at 10,000 " what, "<= 1 %", x, "%.2f %% (from " sprintf("%.0f", value[kind ".events_per_s"]) "/s)", 1, came ? "" : "no records came")
}
# A run time that is more than CPU time was the machine's other work's; with as much of it as the limit of a row, that row cannot be judged.
function shared_cpu(kind) { return value[kind ".busy_wall_ns"] > 1.01 * value[kind ".busy_cpu_ns"] }
function sampling_share(kind, what) { return value["alone." what] ? value[kind "." what] / value["alone." what] - 1 : 0 }
function slot_hooks(program, kind) { return main["slots." program "." kind] - main["slots." program ".plain"] }

END {
	kernel_missing = "kernel.lost" in value ? "" : value["kernel.missing"] ? value["kernel.missing"] : "no numbers"
	print "# What tracing costs"
	print ""
	print "This page is written by `cmake --build build --target bench` (tests/bench); do not edit it."
	print ""
	printf "Machine: %s, %s CPUs, %s. %s. Compared with %s, `record --no-libcall`, on the same instrumented objects. %s. %s.\n", value["cpu"], value["cpus"], value["kernel"], value["compiler"], value["uftrace"], value["cprof"], value["date"]
	printf "%d interleaved rounds, minima. Two clock reads back to back, measured in the same rounds: %.2f ns; the clock steps by %d ticks.\n", value["rounds"], pair, value["tsc_step_ticks"]
	print ""
	print "*In-thread cost* is (traced - plain) / calls in CPU time of the main thread, over two clock reads: both ends of a call are stamped, so 1.0 cannot be beaten. CPU time of the main thread is read by an uninstrumented main() around the program's own (tests/support/timed_main.c), so it is without process start and end; *wall* and *CPU added* are of the whole process with its start, its end, the drain thread and the last write."
	print ""
	print "| what | limit | measured | held |"
	print "|---|---|---|---|"
	for (i = split("fib lua sqlite", programs, " "); i > 0; i--)
		lost += value[programs[i] ".lost"]
	row("in-thread cost of a traced call, fib", "<= 1.10 x", sprintf("%.2f x (%.1f ns)", per_call("fib", "cprof") / pair, per_call("fib", "cprof")), per_call("fib", "cprof") / pair <= 1.10)
	row("in-thread cost of a traced call, Lua", "<= 1.30 x", sprintf("%.2f x (%.1f ns)", per_call("lua", "cprof") / pair, per_call("lua", "cprof")), per_call("lua", "cprof") / pair <= 1.30)
	row("in-thread cost of a traced call, SQLite", "<= 1.30 x", sprintf("%.2f x (%.1f ns)", per_call("sqlite", "cprof") / pair, per_call("sqlite", "cprof")), per_call("sqlite", "cprof") / pair <= 1.30)
	x = (wall["lua.cprof"] - wall["lua.plain"]) / (wall["lua.uftrace"] - wall["lua.plain"])
	row("wall time added on Lua, beside uftrace", "<= 0.36 x", sprintf("%.2f x", x), x <= 0.36)
	x = (cpu["lua.cprof"] - cpu["lua.plain"]) / (cpu["lua.uftrace"] - cpu["lua.plain"])
	row("CPU time added on Lua, beside uftrace", "<= 0.40 x", sprintf("%.2f x", x), x <= 0.40)
	limit = value["tsc_step_ticks"] >= 16 ? 0.4 : 1.3
	x = value["lua.bytes"] / value["lua.events"]
	row("bytes per event, Lua", "<= " limit, sprintf("%.2f", x), x <= limit)
	x = value["sqlite.bytes"] / value["sqlite.events"]
	row("bytes per event, SQLite", "<= " limit, sprintf("%.2f", x), x <= limit)
	x = value["sqlite.events"] / cpu["flat"] * 1000
	row(sprintf("`flat` with percentiles on SQLite, %.0f M events, events/s per core", value["sqlite.events"] / 1e6), ">= 250 M", sprintf("%.0f M", x), x >= 250)
	if (value["giga.events"]) {
		x = value["giga.events"] / cpu["giga.flat"] * 1000
		row(sprintf("the same on %.2f G events, where the cost per context no longer counts", value["giga.events"] / 1e9), ">= 250 M", sprintf("%.0f M", x), x >= 250)
	}
	x = cpu["uftrace-report"] / cpu["flat"]
	row("`flat` beside `uftrace report`, on the shorter one", ">= 25 x", sprintf("%.0f x", x), x >= 25)
	if (value["giga.events"]) {
		x = rss["giga.flat"] / 1024
		row(sprintf("peak memory of `flat`, %.2f G events of SQLite", value["giga.events"] / 1e9), "<= 300 MB", sprintf("%.0f MB", x), x <= 300)
	}
	x = per_call("fib", "off") / per_call("fib", "empty")
	row("`CPROF=off` beside empty hooks, fib", "<= 1.3 x", sprintf("%.2f x", x), x <= 1.3)
	x = value["traced.thread_us"] - value["plain.thread_us"]
	row("added to a thread that makes 10 calls, start to join", "<= 30 us", sprintf("%.1f us", x), x <= 30)
	x = value["traced.idle_kb"] - value["plain.idle_kb"]
	row("resident memory added by a thread that waits, of 500", "<= 128 KB", sprintf("%.0f KB", x), x <= 128)
	row("added to a `swapcontext` in the middle of calls", "<= 1000 ns", sprintf("%.0f ns", value["traced.switch_ns"] - value["plain.switch_ns"]), value["traced.switch_ns"] - value["plain.switch_ns"] <= 1000)
	x = value["allocated.cprof.pair_ns"] - value["allocated.plain.pair_ns"]
	row("added by the interposer to malloc + free, every live block known", "<= 15 ns", sprintf("%.1f ns", x), x <= 15)
	if ("called_counted.read_ns" in value) {
		x = value["called_counted.read_ns"] - value["called_plain.read_ns"]
		row("added without BPF by `--io` to a read of one byte that is in memory", "<= 500 ns", sprintf("%.0f ns", x), x <= 500)
		x = value["called_counted.lock_ns"] - value["called_plain.lock_ns"]
		row("added without BPF by `--locks` to lock and unlock of a free mutex", "<= 15 ns", sprintf("%.1f ns", x), x <= 15)
	}
	kernel_row("99 Hz sampling, added to the CPU time of a busy program: what 9,999 Hz add, divided by 101", "<= 1 %", sampling_share("sampled_9999", "busy_cpu_ns") / 101 * 100, "%.2f %%", 1)
	kernel_row("99 Hz sampling, added to the run time of a busy program", "<= 1 %", sampling_share("sampled_99", "busy_wall_ns") * 100, "%.2f %%", 1, shared_cpu("alone") || shared_cpu("sampled_99") ? "the machine had other work" : "")
	kernel_row("off-CPU accounting, added per switch of a ping-pong through pipes (two system calls are in it)", "<= 0.40 us", (value["switched.switch_ns"] - value["alone.switch_ns"]) / 1e3, "%.2f us", 0.4)
	for (i = 1; i <= split("fib lua", slotted, " "); i++) {
		x = slot_hooks(slotted[i], "without")
		kernel_row("cost of a traced call whose thread has its slot (`cprof-record --off-cpu`), beside one without, " (slotted[i] == "lua" ? "Lua" : slotted[i]), "<= 1.03 x", x ? slot_hooks(slotted[i], "with") / x : 0, "%.3f x", 1.03)
	}
	recorder_row("samples/s", "sampled_9999")
	recorder_row("waits/s, each recorded with its stack", "slept")
	kernel_row("records of the kernel half lost meanwhile", "0", value["kernel.lost"], "%d", 0)
	row("events lost", "0", lost + 0, lost == 0)
	print ""
	print "## The numbers behind them"
	print ""
	print "| program | calls | contexts | subject | wall ms | CPU ms | main thread CPU ms | added per call, ns | peak memory MB |"
	print "|---|---|---|---|---|---|---|---|---|"
	nr = split("fib lua sqlite", programs, " ")
	nr_kinds = split("plain empty off cprof uftrace", kinds, " ")
	for (i = 1; i <= nr; i++) {
		for (j = 1; j <= nr_kinds; j++) {
			subject = programs[i] "." kinds[j]
			printf "| %s | %s | %s | %s | %.1f | %.1f | %.1f | %s | %.0f |\n", programs[i], value[programs[i] ".calls"], value[programs[i] ".contexts"], kinds[j], wall[subject] / 1e6, cpu[subject] / 1e6, main[subject] / 1e6, j == 1 ? "" : sprintf("%.2f", per_call(programs[i], kinds[j])), rss[subject] / 1024
		}
	}
	print ""
	print "*empty*: hooks that do nothing, in a shared library. *off*: libcprof with `CPROF=off`."
	print ""
	print "| malloc + free, CPU ns | at once, one thread | of 1,000 live blocks | at once, two threads |"
	print "|---|---|---|---|"
	nr = split("plain cprof heaptrack", kinds, " ")
	for (i = 1; i <= nr; i++)
		printf "| %s | %.1f | %.1f | %.1f |\n", kinds[i], value["allocated." kinds[i] ".pair_ns"], value["allocated." kinds[i] ".live_ns"], value["allocated." kinds[i] ".threads_ns"]
	print ""
	if (!kernel_missing) {
		print "| what the kernel half slows | alone | recorded | |"
		print "|---|---|---|---|"
		printf "| a busy program's piece of work, CPU ms | %.2f | %.2f | 99 Hz |\n", value["alone.busy_cpu_ns"] / 1e6, value["sampled_99.busy_cpu_ns"] / 1e6
		printf "| the same | %.2f | %.2f | 9,999 Hz; %.0f samples/s came |\n", value["alone.busy_cpu_ns"] / 1e6, value["sampled_9999.busy_cpu_ns"] / 1e6, value["sampled_9999.events_per_s"]
		printf "| the same, wall ms | %.2f | %.2f | 99 Hz |\n", value["alone.busy_wall_ns"] / 1e6, value["sampled_99.busy_wall_ns"] / 1e6
		printf "| the same | %.2f | %.2f | 9,999 Hz |\n", value["alone.busy_wall_ns"] / 1e6, value["sampled_9999.busy_wall_ns"] / 1e6
		printf "| a switch, ns | %.0f | %.0f | `--off-cpu` |\n", value["alone.switch_ns"], value["switched.switch_ns"]
		printf "| a system call, ns | %.0f | %.0f | `--off-cpu` |\n", value["alone.call_ns"], value["called.call_ns"]
		for (i = 1; i <= split("fib lua", slotted, " "); i++)
			printf "| a traced call of %s, ns | %.2f | %.2f | `--off-cpu` |\n", slotted[i], slot_hooks(slotted[i], "without") / value[slotted[i] ".calls"], slot_hooks(slotted[i], "with") / value[slotted[i] ".calls"]
		print ""
		printf "The recorder's CPU time while the program ran, its fixed cost with it, divided by the samples, is %.0f ns, by the recorded waits %.0f ns; multiplied by 10,000/s it is the share above, which is too high when fewer came. The start and the end of a recording are not in it.\n", value["sampled_9999.recorder_ns_per_event"], value["slept.recorder_ns_per_event"]
		print ""
	}
	print "| reading SQLite's trace | wall ms | CPU ms | peak memory MB |"
	print "|---|---|---|---|"
	nr = split("flat tree uftrace-report giga.flat", readers, " ")
	for (i = 1; i <= nr; i++)
		if (readers[i] in wall)
			printf "| %s | %.1f | %.1f | %.0f |\n", readers[i], wall[readers[i]] / 1e6, cpu[readers[i]] / 1e6, rss[readers[i]] / 1024
}
