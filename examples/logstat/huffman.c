/* SPDX-License-Identifier: BSD-2-Clause */
/* A binary heap of trees, merged two by two; the codes come from a recursive walk over the last tree. */
#include "huffman.h"

#include <string.h>

enum { SYMBOLS = 256, NODES = 2 * SYMBOLS };

struct code {
	uint64_t bits;
	unsigned length;
};

struct coder {
	uint64_t weight[NODES];
	int left[NODES], right[NODES]; /* -1 in leaves */
	int heap[NODES], heap_count;
	struct code codes[SYMBOLS];
};

struct bit_writer {
	uint64_t pending, checksum;
	unsigned pending_bits;
	size_t bytes;
};

static int heap_less(const struct coder *coder, int a, int b)
{
	if (coder->weight[a] != coder->weight[b])
		return coder->weight[a] < coder->weight[b];
	return a < b;
}

static void heap_push(struct coder *coder, int node)
{
	int at = coder->heap_count++;

	while (at > 0 && heap_less(coder, node, coder->heap[(at - 1) / 2])) {
		coder->heap[at] = coder->heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	coder->heap[at] = node;
}

static int heap_pop(struct coder *coder)
{
	int top = coder->heap[0], last = coder->heap[--coder->heap_count], at = 0;

	for (;;) {
		int child = 2 * at + 1;

		if (child >= coder->heap_count)
			break;
		if (child + 1 < coder->heap_count && heap_less(coder, coder->heap[child + 1], coder->heap[child]))
			child++;
		if (!heap_less(coder, coder->heap[child], last))
			break;
		coder->heap[at] = coder->heap[child];
		at = child;
	}
	coder->heap[at] = last;
	return top;
}

static void count_symbols(struct coder *coder, const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		coder->weight[(unsigned char)text[i]]++;
}

static int build_tree(struct coder *coder)
{
	int next = SYMBOLS;

	for (int symbol = 0; symbol < SYMBOLS; symbol++) {
		coder->left[symbol] = coder->right[symbol] = -1;
		if (coder->weight[symbol])
			heap_push(coder, symbol);
	}
	while (coder->heap_count > 1) {
		coder->left[next] = heap_pop(coder);
		coder->right[next] = heap_pop(coder);
		coder->weight[next] = coder->weight[coder->left[next]] + coder->weight[coder->right[next]];
		heap_push(coder, next++);
	}
	return heap_pop(coder);
}

static void assign_codes(struct coder *coder, int node, struct code code)
{
	if (coder->left[node] < 0) {
		coder->codes[node] = code;
		return;
	}
	assign_codes(coder, coder->left[node], (struct code){ code.bits << 1, code.length + 1 });
	assign_codes(coder, coder->right[node], (struct code){ code.bits << 1 | 1, code.length + 1 });
}

static void put_codes(struct bit_writer *writer, const struct code *codes, const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		struct code code = codes[(unsigned char)text[i]];

		writer->pending = writer->pending << code.length | code.bits;
		writer->pending_bits += code.length;
		while (writer->pending_bits >= 8) {
			writer->pending_bits -= 8;
			writer->checksum = (writer->checksum ^ (writer->pending >> writer->pending_bits & 0xff)) * 0x100000001b3u;
			writer->bytes++;
		}
	}
}

size_t huffman_encode(const char *text, size_t bytes, uint64_t *checksum)
{
	struct bit_writer writer = { .checksum = *checksum };
	struct coder coder;

	if (!bytes)
		return 0;
	memset(&coder, 0, sizeof(coder));
	count_symbols(&coder, text, bytes);
	assign_codes(&coder, build_tree(&coder), (struct code){ 0, 0 });
	put_codes(&writer, coder.codes, text, bytes);
	*checksum = writer.checksum;
	return writer.bytes + (writer.pending_bits > 0);
}
