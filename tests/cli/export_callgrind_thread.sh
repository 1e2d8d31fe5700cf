# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze export --to=callgrind $P --thread=worker --time=:400us plain.lz4
