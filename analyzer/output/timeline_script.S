/* SPDX-License-Identifier: BSD-2-Clause */
/* The script of every timeline, as text that ends with a NUL. */
	.section .rodata
	.globl timeline_script
	.hidden timeline_script
timeline_script:
	.incbin "svg_names.js"
	.incbin "timeline.js"
	.byte 0
	.section .note.GNU-stack,"",%progbits
