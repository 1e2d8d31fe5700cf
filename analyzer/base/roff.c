/* SPDX-License-Identifier: BSD-2-Clause */
#include "roff.h"

#include <stdbool.h>

/* A dot or quote at the start of a line and every backslash and dash mean something to roff. */
void roff_print(FILE *out, const char *text)
{
	bool line_start = true;

	for (; *text; text++) {
		if (line_start && (*text == '.' || *text == '\''))
			fputs("\\&", out);
		line_start = *text == '\n';
		if (*text == '\\')
			fputs("\\e", out);
		else if (*text == '-')
			fputs("\\-", out);
		else if (*text == '\n' && text[1] == '\n')
			fputs("\n.PP", out);
		else
			fputc(*text, out);
	}
}
