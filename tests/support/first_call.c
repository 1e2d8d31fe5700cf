/* SPDX-License-Identifier: BSD-2-Clause */
/* A call made before anything is measured; see timed_main.c. */
void first_call(void);

void first_call(void)
{
}
