# SPDX-License-Identifier: BSD-2-Clause
# Wall time is what its parts add up to, in every node, self and total; and totals of counts are self plus the children's.
for options in "" "--focus=serve" "--filter=save" "--recursion=unroll" "--by-thread" "--time=100ms:700ms" "--thread=app"; do
	# shellcheck disable=SC2086
	cprof-analyze tree --perf-map=kernel.map --format=json $options recorded.lz4 | jq -r --arg options "$options" '
		[.root | recurse(.children[]) | select(.kind != "sampled")] as $nodes |
		[$nodes[] | select(.wall_ns.self != .cpu_ns.self + .runq_ns.self + .blocked_ns.self + .stopped_ns.self + .unexplained_ns.self or
			.wall_ns.total != .cpu_ns.total + .runq_ns.total + .blocked_ns.total + .stopped_ns.total + .unexplained_ns.total or
			.blocked_ns.self != ([.blocked_by[].self] | add) or .blocked_ns.total != ([.blocked_by[].total] | add) or
			.switches.total != .switches.self + ([.children[].switches.total] | add // 0)) | .name] as $wrong |
		"\($options): \($nodes | length) nodes, wrong: \($wrong)"'
done
