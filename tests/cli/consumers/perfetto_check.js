// SPDX-License-Identifier: BSD-2-Clause
// perfetto_check.js FLAT.json [NS]: reads what `protoc --decode=Trace perfetto_min.proto` prints and checks what the schema cannot say: every number
// stands for something defined before in its sequence, clocks and tracks are known, slices nest, times increase, and functions have the numbers of
// `flat` (within NS per event).
'use strict';
const fs = require('fs');
const { Slices, compare, fail } = require('./slices.js');

// protoc's text, as objects of arrays. A field name that is a number is one that the schema does not have.
function parse(text) {
	const root = {}, stack = [root];
	for (const line of text.split('\n')) {
		const found = /^ *(?:([\w]+) \{|(\w+): (.*)|(\}))$/.exec(line);
		if (!found) {
			if (line.trim())
				fail(`not understood: ${line}`);
			continue;
		}
		const name = found[1] || found[2], top = stack[stack.length - 1];
		if (name && /^\d+$/.test(name))
			fail(`field ${name} is not in the schema`);
		if (found[4]) {
			stack.pop();
		} else {
			const value = found[1] ? {} : found[3];
			(top[name] = top[name] || []).push(value);
			if (found[1])
				stack.push(value);
		}
	}
	return root;
}

// "\303\244" is UTF-8, byte by byte
function unquote(text) {
	const escapes = { n: '\n', r: '\r', t: '\t' };
	const bytes = text.slice(1, -1).replace(/\\(\d{3}|.)/g, (all, code) => /^\d/.test(code) ? String.fromCharCode(parseInt(code, 8)) : escapes[code] || code);
	return Buffer.from(bytes, 'latin1').toString('utf8');
}

const one = (message, field) => message && message[field] && message[field][0];
const number = (message, field) => one(message, field) === undefined ? undefined : BigInt(one(message, field));

const functions = new Map(), tracks = new Map(), sequences = new Map(), clocks = new Set();
for (const packet of parse(fs.readFileSync(0, 'latin1')).packet || []) {
	const id = one(packet, 'trusted_packet_sequence_id'), flags = Number(one(packet, 'sequence_flags') || 0);
	if (!id)
		fail('a packet without sequence');
	for (const clock of (one(packet, 'clock_snapshot') || {}).clocks || [])
		clocks.add(one(clock, 'clock_id'));
	if (flags & 1)
		sequences.set(id, { names: new Map(), locations: new Map() });
	const sequence = sequences.get(id);
	const descriptor = one(packet, 'track_descriptor');
	if (descriptor) {
		const uuid = one(descriptor, 'uuid'), parent = one(descriptor, 'parent_uuid'), thread = one(descriptor, 'thread');
		if (!uuid || uuid === '0' || tracks.has(uuid))
			fail(`track ${uuid} is there twice, or 0`);
		if (thread && (!parent || !tracks.has(parent) || !one(thread, 'tid')))
			fail(`track ${uuid}: a thread without process or id`);
		tracks.set(uuid, thread ? new Slices(one(thread, 'thread_name'), functions) : null);
	}
	const defaults = one(packet, 'trace_packet_defaults');
	if (defaults) {
		if (!clocks.has(one(defaults, 'timestamp_clock_id')))
			fail('times by a clock that no snapshot has');
		sequence.track = one(one(defaults, 'track_event_defaults'), 'track_uuid');
	}
	const interned = one(packet, 'interned_data') || {};
	for (const name of interned.event_names || [])
		sequence.names.set(one(name, 'iid'), unquote(one(name, 'name')));
	for (const location of interned.source_locations || []) {
		if (!one(location, 'file_name') || !one(location, 'function_name'))
			fail('a source location without file or function');
		sequence.locations.set(one(location, 'iid'), location);
	}
	const event = one(packet, 'track_event');
	if (!event)
		continue;
	if (!(flags & 2) || !sequence)
		fail('an event of a sequence that has no state');
	const slices = tracks.get(one(event, 'track_uuid') || sequence.track), time = number(packet, 'timestamp');
	const name = one(event, 'name_iid'), location = one(event, 'source_location_iid');
	if (!slices)
		fail('an event on no thread\'s track');
	if (name !== undefined && (name === '0' || !sequence.names.has(name)))
		fail(`name ${name} stands for nothing`);
	if (location !== undefined && !sequence.locations.has(location))
		fail(`source location ${location} stands for nothing`);
	switch (one(event, 'type')) {
	case 'TYPE_SLICE_BEGIN':
		slices.begin(time, sequence.names.get(name));
		break;
	case 'TYPE_SLICE_END':
		slices.end(time);
		break;
	case 'TYPE_INSTANT':
		slices.at(time, one(event, 'name'));
		break;
	default:
		fail(`an event of type ${one(event, 'type')}`);
	}
}
for (const slices of tracks.values())
	if (slices)
		slices.finish();
compare(functions, process.argv[2], Number(process.argv[3] || 0));
