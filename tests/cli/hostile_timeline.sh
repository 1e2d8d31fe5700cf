# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze timeline $P -o x.svg hostile.lz4 && xmllint --noout x.svg && grep -c "<script" x.svg && ! grep -e "<img" -e "<svg><script" x.svg && sed -n "/\"names\"/,/<.script>/p" x.svg
