/* SPDX-License-Identifier: BSD-2-Clause */
/* Preloaded: a program that seeds its hash tables with arc4random() makes the same calls each time. The runtime does not use it. */
#include <stdint.h>

uint32_t arc4random(void);

uint32_t arc4random(void)
{
	return 0x5eed;
}
