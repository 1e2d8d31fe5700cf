/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two plug-ins loaded and unloaded in turn, 29 times, so that they come to lie at the same addresses: calls keep the name of the one
 * that was there. plugin.c is the plug-in, built twice.
 *
 * calls: main=1 use=58 plugin_red=29 plugin_blue=29 red_leaf=87 blue_leaf=145
 * tree: [at("main/use/plugin_red/red_leaf")] | map(.calls) | add == 87
 * tree: [at("main/use/plugin_blue/blue_leaf")] | map(.calls) | add == 145
 */
#include <dlfcn.h>
#include <stdio.h>

static volatile int sink;

__attribute__((noinline)) static int use(const char *path, const char *name)
{
	void *library = dlopen(path, RTLD_NOW);
	void (*entry)(void);

	if (!library) {
		fprintf(stderr, "%s\n", dlerror());
		return 1;
	}
	*(void **)&entry = dlsym(library, name);
	if (!entry)
		return 1;
	entry();
	sink++;
	return dlclose(library);
}

int main(void)
{
	for (int i = 0; i < 29; i++) {
		if (use("./plugin_red.so", "plugin_red") || use("./plugin_blue.so", "plugin_blue"))
			return 1;
	}
	return 0;
}
