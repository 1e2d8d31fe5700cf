/* SPDX-License-Identifier: BSD-2-Clause */
/* Code from a header, so that chains lead through two files. */
#ifndef INLINE_SAMPLE_H
#define INLINE_SAMPLE_H

extern volatile int sink;
void consume(int value);

static inline int header_leaf(int value)
{
	consume(value + 1);
	return value * 3;
}

static inline int header_middle(int value)
{
	return header_leaf(value) + header_leaf(value + 2);
}

#define CALL_TWICE(f, x) (f(x), f((x) + 1))

#endif
