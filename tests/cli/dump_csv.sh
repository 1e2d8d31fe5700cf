# SPDX-License-Identifier: BSD-2-Clause
# Every row has all columns, and they say what the JSON says.
cprof-analyze dump $P --events --format=csv plain.lz4 >d.csv
cprof-analyze dump $P --events --format=json plain.lz4 >d.json
jq -Rc 'rtrimstr("\r") | split(",")' d.csv >rows.json
jq -rn --slurpfile rows rows.json --slurpfile records d.json '
	$rows[0] as $columns | ($records | map(keys) | add | unique) as $keys |
	"\($columns | length) columns, \($columns | unique | length) names, \($rows | length - 1) rows, \($records | length) records",
	"fields without a column: \($keys - $columns)",
	(range($records | length) | [$records[.][$columns[]] | if . == null then "" else tostring end] as $expected |
		select($rows[. + 1] != $expected) | "row \(.) differs: \($rows[. + 1]) \($expected)")'
sed -n '1p; 2p; $p' d.csv
