/* SPDX-License-Identifier: BSD-2-Clause */
#include "rt_modules.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>

#include "rt_live.h"
#include "rt_sys.h"
#include "trace_format.h"

extern __typeof__(_dl_find_object) _dl_find_object __attribute__((weak));

static _Atomic uint32_t modules_done; /* records that are complete; they are added one at a time */
static _Atomic uint32_t adding;
static _Atomic uint32_t last_hit;

static struct cprof_module *module_at(uint32_t index)
{
	return rt_table_at(&rt_live.modules, index);
}

void rt_modules_reset(void)
{
	atomic_store(&modules_done, 0);
	atomic_store(&adding, 0);
	atomic_store(&last_hit, 0);
}

static bool contains(const struct cprof_module *module, uint64_t address)
{
	return address >= module->start && address < module->end && !(module->flags & CPROF_MODULE_UNLOADED);
}

static struct cprof_module *module_find(uint64_t address)
{
	uint32_t done = atomic_load_explicit(&modules_done, memory_order_acquire);
	uint32_t hint = atomic_load_explicit(&last_hit, memory_order_relaxed);

	if (hint < done && contains(module_at(hint), address))
		return module_at(hint);
	for (uint32_t i = 0; i < done; i++) {
		if (contains(module_at(i), address)) {
			atomic_store_explicit(&last_hit, i, memory_order_relaxed);
			return module_at(i);
		}
	}
	return NULL;
}

/* The GNU build-id note, read from the mapped image; nothing outside [start, end) is touched. */
static void read_build_id(struct cprof_module *module)
{
	const ElfW(Ehdr) *elf = (const void *)module->start;

	if (module->end - module->start < sizeof *elf || elf->e_ident[0] != 0x7f || elf->e_ident[1] != 'E' || elf->e_ident[2] != 'L' ||
	    elf->e_phentsize != sizeof(ElfW(Phdr)) || elf->e_phoff > module->end - module->start ||
	    elf->e_phnum * sizeof(ElfW(Phdr)) > module->end - module->start - elf->e_phoff)
		return;
	const ElfW(Phdr) *segment = (const void *)(module->start + elf->e_phoff);
	for (uint32_t i = 0; i < elf->e_phnum; i++, segment++) {
		uint64_t at = module->bias + segment->p_vaddr, end = at + segment->p_memsz;

		if (segment->p_type != PT_NOTE || at < module->start || end > module->end || end < at)
			continue;
		while (end - at >= sizeof(ElfW(Nhdr))) {
			const ElfW(Nhdr) *note = (const void *)at;
			uint64_t name = at + sizeof *note, desc = name + ((note->n_namesz + 3ull) & ~3ull);
			uint64_t next = desc + ((note->n_descsz + 3ull) & ~3ull);

			if (next > end || next <= at)
				break;
			if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 && *(const uint32_t *)name == 0x00554E47u /* "GNU" */) {
				uint32_t bytes = note->n_descsz < sizeof module->build_id ? note->n_descsz : sizeof module->build_id;

				for (uint32_t k = 0; k < bytes; k++)
					module->build_id[k] = ((const uint8_t *)desc)[k];
				module->build_id_bytes = bytes;
				return;
			}
			at = next;
		}
	}
}

static void set_path(struct cprof_module *module, const char *path)
{
	size_t length = rt_text_append(module->path, 0, sizeof module->path, path);

	module->path_bytes = (uint32_t)length;
	if (path[length])
		module->flags |= CPROF_MODULE_PATH_CUT;
}

/* With signals blocked and `adding` held. */
static void module_add(uint64_t start, uint64_t end, uint64_t bias, const char *name)
{
	uint32_t index = atomic_load(&modules_done);

	if (!rt_table_ensure(&rt_live.modules, index))
		return;
	struct cprof_module *module = module_at(index);
	module->id = index + 1;
	module->start = start;
	module->end = end;
	module->bias = bias;
	if (name && *name) {
		set_path(module, name);
	} else {
		char exe[CPROF_MODULE_PATH_MAX + 1];
		long got = rt_sys(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", exe, sizeof exe - 1);

		exe[got > 0 ? got : 0] = 0;
		module->flags = CPROF_MODULE_MAIN;
		set_path(module, exe);
	}
	read_build_id(module);
	atomic_store_explicit(&modules_done, index + 1, memory_order_release);
	__atomic_store_n(&rt_live.header->modules, index + 1, __ATOMIC_RELEASE);
}

struct rt_place rt_modules_place(uint64_t address)
{
	struct cprof_module *module = module_find(address);
	struct dl_find_object object;

	if (!module && _dl_find_object && !_dl_find_object((void *)address, &object)) {
		uint64_t mask = rt_signals_block();
		uint32_t no = 0;

		while (!atomic_compare_exchange_strong(&adding, &no, 1)) {
			no = 0;
			rt_yield();
		}
		module = module_find(address);
		if (!module) {
			module_add((uintptr_t)object.dlfo_map_start, (uintptr_t)object.dlfo_map_end, object.dlfo_link_map->l_addr,
				   object.dlfo_link_map->l_name);
			module = module_find(address);
		}
		atomic_store(&adding, 0);
		rt_signals_restore(mask);
	}
	if (!module)
		return (struct rt_place){ 0, address };
	return (struct rt_place){ module->id, address - module->bias };
}

void rt_modules_sweep(void (*forget)(uint64_t start, uint64_t end))
{
	uint32_t done = atomic_load(&modules_done);
	struct dl_find_object object;

	for (uint32_t i = 0; i < done; i++) {
		struct cprof_module *module = module_at(i);

		if (module->flags & (CPROF_MODULE_UNLOADED | CPROF_MODULE_MAIN))
			continue;
		if (!_dl_find_object((void *)module->start, &object) && (uintptr_t)object.dlfo_map_start == module->start &&
		    object.dlfo_link_map->l_addr == module->bias)
			continue;
		module->flags |= CPROF_MODULE_UNLOADED;
		forget(module->start, module->end);
	}
}
