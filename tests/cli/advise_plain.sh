# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze advise $P plain.lz4
