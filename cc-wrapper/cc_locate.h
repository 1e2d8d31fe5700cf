/* SPDX-License-Identifier: BSD-2-Clause */
/* Where things are: libcprof, from where the wrapper itself lies; the compiler, along PATH. All that cprof-cc asks of the file system. */
#ifndef CPROF_CC_LOCATE_H
#define CPROF_CC_LOCATE_H

#include "error.h"

#include <stdbool.h>

struct cc_place {
	char *self;          /* path of the running wrapper, links resolved */
	char *shared_folder; /* where libcprof.so is, or NULL */
	char *static_folder; /* where libcprof.a is, or NULL */
	char *searched;      /* the folders looked into, for a message */
};

struct cprof_error *cc_place_init(struct cc_place *place) CPROF_MUST_CHECK;
void cc_place_deinit(struct cc_place *place);

/* Folders in which linker and loader look by themselves. */
bool cc_place_is_system(const char *folder);

/*
 * The program that word names, as a new string. Along PATH the wrapper itself is passed over, so that a link "gcc" to it, early in PATH,
 * works; named with its path it is an error.
 */
struct cprof_error *cc_locate_program(const struct cc_place *place, const char *word, char **ret_path) CPROF_MUST_CHECK;

/* Would running word, from another program, run the wrapper? */
bool cc_locate_is_self(const struct cc_place *place, const char *word);

/* The text of a regular file. Errors as response_file_reader has them. */
struct cprof_error *cc_locate_read_text(const char *path, char **ret_text) CPROF_MUST_CHECK;

#endif
