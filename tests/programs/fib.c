/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fib(20) makes 21,891 calls; recursion folds into one node below main.
 *
 * calls: main=1 fib=21891
 * tree: only("main/fib").calls == 21891
 * tree: only("main/fib").children == []
 * unroll: [at("main/fib")] | length == 1 and .[0].calls == 1
 * unroll: [at("main/fib/fib")] | map(.calls) | sort == [1, 1]
 */
static int fib(int n)
{
	if (n < 2)
		return n;
	return fib(n - 1) +
	       fib(n - 2);
}

int main(void)
{
	return fib(20) == 6765 ? 0 : 1;
}
