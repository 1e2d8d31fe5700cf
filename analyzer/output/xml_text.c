/* SPDX-License-Identifier: BSD-2-Clause */
#include "xml_text.h"

#include "utf8.h"

void xml_print_part(FILE *out, const char *text, size_t letters)
{
	while (*text && letters--) {
		const char *start = text;
		uint32_t code = utf8_next(&text);

		switch (code) {
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '&':
			fputs("&amp;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		case '\'':
			fputs("&#39;", out);
			break;
		case '\n':
		case '\t':
			fputc(' ', out);
			break;
		default:
			if (code == UTF8_BAD || code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0xFFFE || code == 0xFFFF ||
			    (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069))
				fputs("\xEF\xBF\xBD", out);
			else
				fwrite(start, 1, (size_t)(text - start), out);
		}
	}
}

void xml_print(FILE *out, const char *text)
{
	xml_print_part(out, text, SIZE_MAX);
}
