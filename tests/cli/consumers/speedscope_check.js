// SPDX-License-Identifier: BSD-2-Clause
// speedscope_check.js CHROMIUM FLAT.json EXPORT IMPORTER: speedscope in a browser takes EXPORT for an IMPORTER file, has nothing to complain of, and shows
// each function with the times of `flat`, as far as it prints digits. NODE_PATH holds what npm.sh installed.
'use strict';
const fs = require('fs');
const os = require('os');
const path = require('path');
const puppeteer = require('puppeteer-core');
const [chromium, flatPath, exportPath, importer] = process.argv.slice(2);
const PATIENCE_MS = 60000;

const site = path.join(path.dirname(require.resolve('speedscope/package.json')), 'dist/release/index.html');
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'speedscope-'));
const said = [];
const program = chromium.includes('/') ? chromium : process.env.PATH.split(':').map((each) => path.join(each, chromium)).find((each) => fs.existsSync(each));

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// "1.25ms" in ns, and half of its last digit
function parseTime(text) {
	const found = /^([\d.]+)(ns|µs|ms|s)/.exec(text.replace(/,/g, ''));
	if (!found)
		throw new Error(`'${text}' is no time`);
	const unit = { ns: 1, 'µs': 1e3, ms: 1e6, s: 1e9 }[found[2]];
	return { ns: Number(found[1]) * unit, slack: unit * 10 ** -(found[1].split('.')[1] || '').length / 2 };
}

async function readTable(page) {
	for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await pause(100)) {
		await page.keyboard.press('3'); // the table of functions
		const shown = await page.evaluate(() => ({
			text: document.body.innerText,
			rows: Array.from(document.querySelectorAll('tr')).map((row) => Array.from(row.querySelectorAll('td')).map((cell) => cell.innerText.trim())),
		}));
		if (/Something went wrong|Unrecognized format/.test(shown.text))
			throw new Error(`refused: ${said.join(' / ')}`);
		if (shown.rows.length > 1)
			return { title: shown.text.split('\n')[1], rows: shown.rows.filter((row) => row.length === 3 && !/^\d*$/.test(row[0])) }; // not the list of profiles
	}
	throw new Error(`no table: ${said.join(' / ')}`);
}

async function readAllProfiles(page) {
	const functions = new Map(), titles = new Set();
	for (;;) {
		const table = await readTable(page);
		if (titles.has(table.title))
			return { functions, titles };
		titles.add(table.title);
		for (const [total, self, name] of table.rows) {
			const sums = functions.get(name) || { total: { ns: 0, slack: 0 }, self: { ns: 0, slack: 0 } };
			for (const [kind, text] of [['total', total], ['self', self]]) {
				const time = parseTime(text);
				sums[kind] = { ns: sums[kind].ns + time.ns, slack: sums[kind].slack + time.slack };
			}
			functions.set(name, sums);
		}
		await page.keyboard.press('n'); // the next profile; stays at the last one
		await pause(300);
	}
}

function compare(functions) {
	const flat = JSON.parse(fs.readFileSync(flatPath, 'utf8')).functions;
	if (flat.length !== functions.size)
		throw new Error(`${functions.size} functions instead of ${flat.length}: ${Array.from(functions.keys()).join(', ')}`);
	for (const row of flat)
		for (const kind of ['total', 'self']) {
			const time = (functions.get(row.name) || { [kind]: { ns: NaN } })[kind];
			if (!(Math.abs(time.ns - row.wall_ns[kind]) <= time.slack + 1e-6 * row.wall_ns[kind]))
				throw new Error(`${row.name}: ${kind} ${time.ns} instead of ${row.wall_ns[kind]}`);
		}
}

async function check(page) {
	page.on('console', (message) => said.push(message.text()));
	page.on('pageerror', (error) => said.push(`Error: ${error.message}`));
	page.on('dialog', (dialog) => said.push(`Error: ${dialog.message()}`) && dialog.dismiss());
	const script = path.join(folder, 'profile.js');
	fs.writeFileSync(script, `speedscope.loadFileFromBase64("profile.json", "${fs.readFileSync(exportPath).toString('base64')}")`);
	await page.goto(`file://${site}#localProfilePath=${script}`);
	const { functions, titles } = await readAllProfiles(page);
	const complaint = said.find((text) => /Tried to end|^Error|Failed to load/.test(text));
	if (complaint)
		throw new Error(complaint);
	if (!said.includes(`Importing as ${importer}`))
		throw new Error(`not taken for ${importer}: ${said.join(' / ')}`);
	compare(functions);
	console.log(`${functions.size} functions in ${titles.size} profiles (${Array.from(titles).join(', ')}): as in flat`);
}

(async () => {
	if (!program) {
		console.log(`${chromium}: not found`);
		process.exit(1);
	}
	const browser = await puppeteer.launch({
		executablePath: program, userDataDir: path.join(folder, 'browser'), timeout: PATIENCE_MS,
		args: ['--no-sandbox', '--disable-gpu', '--allow-file-access-from-files', '--disable-background-networking', '--disable-component-update'],
	});
	let status = 0;
	try {
		const page = await browser.newPage();
		await page.setViewport({ width: 1400, height: 3000 }); // it renders the rows that are in view
		await check(page);
	} catch (error) {
		console.log(error.message);
		status = 1;
	}
	await browser.close();
	fs.rmSync(folder, { recursive: true, force: true });
	process.exit(status);
})();
