/* SPDX-License-Identifier: BSD-2-Clause */
#include "line_files.h"

#include <dwarf.h>

enum { MAX_FORMATS = 16 }; /* parts of an entry; there are five kinds */

struct header {
	struct cursor cursor;   /* what is left of it */
	uint16_t version;
	bool wide;              /* 64-bit DWARF */
};

struct entry {
	const char *name;
	uint64_t folder;
};

/* DWARF 5 says how its entries look. */
struct entry_format {
	uint8_t count;
	struct {
		uint64_t content, form;
	} parts[MAX_FORMATS];
};

static bool u8_read(struct cursor *cursor, uint8_t *ret)
{
	return cursor_copy(cursor, ret, sizeof *ret);
}

static bool u16_read(struct cursor *cursor, uint16_t *ret)
{
	return cursor_copy(cursor, ret, sizeof *ret);
}

static bool offset_read(struct cursor *cursor, bool wide, uint64_t *ret)
{
	uint32_t narrow;

	if (wide)
		return cursor_u64(cursor, ret);
	if (!cursor_u32(cursor, &narrow))
		return false;
	*ret = narrow;
	return true;
}

/* Only what is inside of both lengths counts. */
static bool cursor_limit(struct cursor *cursor, uint64_t bytes)
{
	if (bytes > cursor_left(cursor))
		return false;
	cursor->end = cursor->position + bytes;
	return true;
}

/* Up to the folders. */
static bool header_read(const struct line_sections *sections, uint64_t offset, struct header *header)
{
	const uint8_t *skipped;
	uint32_t length;
	uint64_t bytes;
	uint8_t opcodes;

	header->cursor = sections->lines;
	header->wide = false;
	if (!cursor_bytes(&header->cursor, offset, &skipped) || !cursor_u32(&header->cursor, &length))
		return false;
	bytes = length;
	if (length == UINT32_MAX) {
		header->wide = true;
		if (!cursor_u64(&header->cursor, &bytes))
			return false;
	}
	if (!cursor_limit(&header->cursor, bytes) || !u16_read(&header->cursor, &header->version) || header->version < 2 || header->version > 5)
		return false;
	if (header->version >= 5 && !cursor_bytes(&header->cursor, 2, &skipped)) /* sizes of addresses and segments */
		return false;
	if (!offset_read(&header->cursor, header->wide, &bytes) || !cursor_limit(&header->cursor, bytes))
		return false;
	/* Least instruction, [operations], default of is_stmt, line base and range, then the lengths of the standard opcodes. */
	return cursor_bytes(&header->cursor, header->version >= 4 ? 5 : 4, &skipped) && u8_read(&header->cursor, &opcodes) && opcodes &&
	       cursor_bytes(&header->cursor, opcodes - 1u, &skipped);
}

/* DWARF 2 to 4. */

/* The index-th, from 1; false: there are not so many. */
static bool old_folder(struct cursor folders, uint64_t index, const char **ret)
{
	for (uint64_t i = 0; i < index; i++)
		if (!cursor_string(&folders, ret) || !**ret)
			return false;
	return true;
}

static bool old_file(struct header *header, uint64_t index, struct line_file *ret)
{
	struct cursor folders = header->cursor, *cursor = &header->cursor;
	struct entry entry = { "", 0 };
	uint64_t ignored;

	do {
		if (!cursor_string(cursor, &ret->folder))
			return false;
	} while (*ret->folder);
	for (uint64_t i = 0; i < index; i++)
		if (!cursor_string(cursor, &entry.name) || !*entry.name || !cursor_leb128(cursor, &entry.folder) || !cursor_leb128(cursor, &ignored) ||
		    !cursor_leb128(cursor, &ignored))
			return false;
	*ret = (struct line_file){ NULL, NULL, entry.name };
	return index && (!entry.folder || old_folder(folders, entry.folder, &ret->folder));
}

/* DWARF 5. */

static bool format_read(struct cursor *cursor, struct entry_format *format)
{
	if (!u8_read(cursor, &format->count) || !format->count || format->count > MAX_FORMATS)
		return false;
	for (uint8_t i = 0; i < format->count; i++)
		if (!cursor_leb128(cursor, &format->parts[i].content) || !cursor_leb128(cursor, &format->parts[i].form))
			return false;
	return true;
}

static bool text_at(struct cursor strings, uint64_t offset, const char **ret)
{
	const uint8_t *skipped;

	return cursor_bytes(&strings, offset, &skipped) && cursor_string(&strings, ret);
}

static bool number_read(struct cursor *cursor, unsigned bytes, uint64_t *ret)
{
	*ret = 0;
	return cursor_copy(cursor, ret, bytes);
}

/* *text stays as it is for numbers, *number for texts. Every form takes a byte at least. */
static bool form_read(const struct line_sections *sections, struct header *header, uint64_t form, const char **text, uint64_t *number)
{
	struct cursor *cursor = &header->cursor;
	const uint8_t *skipped;
	uint64_t offset;

	switch (form) {
	case DW_FORM_string:
		return cursor_string(cursor, text);
	case DW_FORM_line_strp:
		return offset_read(cursor, header->wide, &offset) && text_at(sections->line_strings, offset, text);
	case DW_FORM_strp:
		return offset_read(cursor, header->wide, &offset) && text_at(sections->strings, offset, text);
	case DW_FORM_udata:
		return cursor_leb128(cursor, number);
	case DW_FORM_data1:
		return number_read(cursor, 1, number);
	case DW_FORM_data2:
		return number_read(cursor, 2, number);
	case DW_FORM_data4:
		return number_read(cursor, 4, number);
	case DW_FORM_data8:
		return number_read(cursor, 8, number);
	case DW_FORM_data16: /* MD5 */
		return cursor_bytes(cursor, 16, &skipped);
	default:
		return false;
	}
}

static bool entry_read(const struct line_sections *sections, struct header *header, const struct entry_format *format, struct entry *ret)
{
	*ret = (struct entry){ NULL, 0 };
	for (uint8_t i = 0; i < format->count; i++) {
		const char *text = NULL;
		uint64_t number = 0;

		if (!form_read(sections, header, format->parts[i].form, &text, &number))
			return false;
		if (format->parts[i].content == DW_LNCT_path)
			ret->name = text;
		else if (format->parts[i].content == DW_LNCT_directory_index)
			ret->folder = number;
	}
	return ret->name;
}

/* Reads a table to its end, from its format on; *ret is its entry of that index. */
static bool table_read(const struct line_sections *sections, struct header *header, uint64_t index, struct entry *ret)
{
	struct entry_format format;
	struct entry entry;
	uint64_t count;

	if (!format_read(&header->cursor, &format) || !cursor_leb128(&header->cursor, &count) || index >= count)
		return false;
	for (uint64_t i = 0; i < count; i++) {
		if (!entry_read(sections, header, &format, &entry))
			return false;
		if (i == index)
			*ret = entry;
	}
	return true;
}

static bool new_file(const struct line_sections *sections, struct header *header, uint64_t index, struct line_file *ret)
{
	struct header folders = *header;
	struct entry first, folder, file;

	if (!table_read(sections, header, 0, &first) || !table_read(sections, header, index, &file) ||
	    !table_read(sections, &folders, file.folder, &folder))
		return false;
	*ret = (struct line_file){ file.folder ? first.name : NULL, folder.name, file.name };
	return true;
}

bool line_files_find(const struct line_sections *sections, uint64_t offset, uint64_t index, struct line_file *ret)
{
	struct header header;

	if (!header_read(sections, offset, &header))
		return false;
	return header.version >= 5 ? new_file(sections, &header, index, ret) : old_file(&header, index, ret);
}
