/* SPDX-License-Identifier: BSD-2-Clause */
/* The value of --thread: names or ids of threads, separated by commas. */
#ifndef CPROF_THREAD_LIST_H
#define CPROF_THREAD_LIST_H

#include <stdbool.h>

/* name as shown: "worker [1234]". Its name, its id and all of it are found. */
bool thread_list_has(const char *list, const char *name);

#endif
