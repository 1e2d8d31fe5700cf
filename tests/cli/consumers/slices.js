// SPDX-License-Identifier: BSD-2-Clause
// What the checkers of exports with a time axis share: the slices of threads, and the table of functions that they make.
'use strict';
const fs = require('fs');

function fail(text) {
	console.log(text);
	process.exit(1);
}

// One for each thread: takes begins and ends in the order of the file.
class Slices {
	constructor(thread, functions) {
		this.thread = thread;
		this.functions = functions;
		this.open = [];
		this.last = -1n;
	}

	at(time, what) {
		if (time <= this.last)
			fail(`${this.thread}: ${what} at ${time} is not after ${this.last}`);
		this.last = time;
	}

	begin(time, name) {
		this.at(time, `begin of ${name}`);
		if (!this.functions.has(name))
			this.functions.set(name, { calls: 0n, total: 0n, self: 0n });
		this.functions.get(name).calls++;
		this.open.push({ name, time, children: 0n });
	}

	// name: undefined where the format does not say it
	end(time, name) {
		const slice = this.open.pop();
		this.at(time, `end of ${name}`);
		if (!slice)
			fail(`${this.thread}: an end without begin at ${time}`);
		if (name !== undefined && name !== slice.name)
			fail(`${this.thread}: the end of ${name} closes ${slice.name}`);
		const duration = time - slice.time, sums = this.functions.get(slice.name);
		sums.self += duration - slice.children;
		if (!this.open.some((outer) => outer.name === slice.name))
			sums.total += duration;
		if (this.open.length)
			this.open[this.open.length - 1].children += duration;
	}

	finish() {
		if (this.open.length)
			fail(`${this.thread}: ${this.open.length} slices do not end`);
	}
}

// The functions as `flat --format=json` in file has them, with as many ns of difference per event as clocks and rounding cost (tolerance).
function compare(functions, file, tolerance) {
	const flat = JSON.parse(fs.readFileSync(file, 'utf8')).functions;
	const events = flat.reduce((sum, row) => sum + row.calls, 0) * 2;
	const near = (a, b) => Math.abs(Number(a) - b) <= tolerance * events;
	if (flat.length !== functions.size)
		fail(`${functions.size} functions instead of ${flat.length}`);
	for (const row of flat) {
		const sums = functions.get(row.name);
		if (!sums || Number(sums.calls) !== row.calls || !near(sums.total, row.wall_ns.total) || !near(sums.self, row.wall_ns.self))
			fail(`${row.name}: ${sums ? `${sums.calls} calls, total ${sums.total}, self ${sums.self}` : 'nothing'} instead of ` +
				`${row.calls} calls, total ${row.wall_ns.total}, self ${row.wall_ns.self}`);
	}
	console.log(`${functions.size} functions, ${events / 2} calls: as in flat`);
}

module.exports = { Slices, compare, fail };
