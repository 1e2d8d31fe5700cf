/* SPDX-License-Identifier: BSD-2-Clause */
/* The one instrumented call between main() and the program; see timed_main.c. Compiled like the program. */
int program_main(int argc, char **argv);
int timed_call(int run, int argc, char **argv);

int timed_call(int run, int argc, char **argv)
{
	return run ? program_main(argc, argv) : 0;
}
