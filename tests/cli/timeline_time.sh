# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze timeline $P --time=0.1ms:0.3ms --thread=worker --title="a part" plain.lz4 | sed -n "/class=.title/p; /<g id=.calls.>/,/<\/g>/p; /<script id=.data/,/<\/script>/p"
