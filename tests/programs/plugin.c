/* SPDX-License-Identifier: BSD-2-Clause */
/* A plug-in of plugin_host.c; built twice, with other names, so that both have the same layout. */
static volatile int sink;

#ifdef BLUE
#define ENTRY plugin_blue
#define LEAF blue_leaf
#define CALLS 5
#else
#define ENTRY plugin_red
#define LEAF red_leaf
#define CALLS 3
#endif

void ENTRY(void);

__attribute__((noinline)) static void LEAF(void)
{
	sink++;
}

void ENTRY(void)
{
	for (int i = 0; i < CALLS; i++)
		LEAF();
}
