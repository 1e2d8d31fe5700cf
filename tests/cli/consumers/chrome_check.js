// SPDX-License-Identifier: BSD-2-Clause
// chrome_check.js FLAT.json [NS]: reads Chrome trace events: calls nest, times increase, functions have the numbers of `flat` (within NS per event).
'use strict';
const fs = require('fs');
const { Slices, compare, fail } = require('./slices.js');

// The number as it is written: a double has not room for the ns of a long run.
const text = fs.readFileSync(0, 'utf8').replace(/"ts":(\d+)\.(\d{3})([,}])/g, '"ts":"$1$2"$3');
const functions = new Map(), threads = new Map();
for (const event of JSON.parse(text).traceEvents) {
	const key = `${event.pid}/${event.tid}`;
	if (event.ph === 'M') {
		if (event.name === 'thread_name')
			threads.set(key, new Slices(event.args.name, functions));
		continue;
	}
	const slices = threads.get(key);
	if (!slices || typeof event.ts !== 'string')
		fail(`an event without thread or time: ${JSON.stringify(event)}`);
	if (event.args)
		fail('args make speedscope see another function in each call');
	if (event.ph === 'B')
		slices.begin(BigInt(event.ts), event.name);
	else if (event.ph === 'E')
		slices.end(BigInt(event.ts), event.name);
	else if (event.ph === 'i')
		slices.at(BigInt(event.ts), event.name);
	else
		fail(`an event of phase ${event.ph}`);
}
for (const slices of threads.values())
	slices.finish();
compare(functions, process.argv[2], Number(process.argv[3] || 0));
