/* SPDX-License-Identifier: BSD-2-Clause */
/* How small a shard's text would be on disk: a Huffman code over its bytes, built and written. */
#ifndef HUFFMAN_H
#define HUFFMAN_H

#include <stddef.h>
#include <stdint.h>

/* Encodes; returns the size of the result and folds its bytes into *checksum. */
size_t huffman_encode(const char *text, size_t bytes, uint64_t *checksum);

#endif
