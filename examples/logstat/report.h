/* SPDX-License-Identifier: BSD-2-Clause */
/* Everything the shards found, put together and printed. */
#ifndef REPORT_H
#define REPORT_H

#include <stddef.h>

#include "worker.h"

void report_print(struct worker *workers, size_t nr_workers);

#endif
