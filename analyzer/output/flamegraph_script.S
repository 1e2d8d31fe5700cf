/* SPDX-License-Identifier: BSD-2-Clause */
/* The script of every flame graph, as text that ends with a NUL. */
	.section .rodata
	.globl flamegraph_script
	.hidden flamegraph_script
flamegraph_script:
	.incbin "svg_names.js"
	.incbin "flamegraph.js"
	.byte 0
	.section .note.GNU-stack,"",%progbits
