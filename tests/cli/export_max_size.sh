# SPDX-License-Identifier: BSD-2-Clause
# What is too large for viewers is an error, and no file; unless asked for.
cprof-analyze export --to=chrome --max-size=100 -o out.json plain.lz4 2>&1
echo "status $?"
cprof-analyze export --to=speedscope --max-size=100 -o out.json plain.lz4 2>&1
echo "status $?"
[ -e out.json ] && echo "there is a file"
cprof-analyze export --to=chrome --max-size=0 plain.lz4 | jq ".traceEvents | length"
cprof-analyze export --to=chrome --max-size=1M plain.lz4 | jq ".traceEvents | length"
