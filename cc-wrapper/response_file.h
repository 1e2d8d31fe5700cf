/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Response files: "@file" on a compiler's command line stands for the words in that file, in GNU quoting.
 *
 * The wrapper only looks into them to learn what the compiler will be asked to do; the compiler gets the "@file" itself, untouched.
 * No I/O here: whoever calls brings the reader.
 */
#ifndef CPROF_RESPONSE_FILE_H
#define CPROF_RESPONSE_FILE_H

#include "cc_words.h"

/*
 * Gives the text of a response file as a new string. CPROF_ERROR_NOT_FOUND means there is no such file: the compiler then takes the word
 * for the name of an input, and so do we.
 */
typedef struct cprof_error *response_file_reader(void *arg, const char *path, char **ret_text);

/* Words of text: split at white space; '..' and ".." group; a backslash makes the next character an ordinary one, also inside quotes. */
void response_file_split(const char *text, struct cc_words *ret);

/*
 * Adds the words of argv to words, response files and those named in them replaced by what they hold. origin (one entry per added word,
 * allocated here) tells from which element of argv each came.
 */
struct cprof_error *response_file_expand(char *const *argv, size_t argc, response_file_reader *read, void *arg, struct cc_words *words,
					 size_t **ret_origin) CPROF_MUST_CHECK;

#endif
