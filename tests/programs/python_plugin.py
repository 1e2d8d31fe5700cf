# SPDX-License-Identifier: BSD-2-Clause
# python_plugin.py FOLDER: the host of python_plugin.c, which lies in FOLDER; its numbers are those of the expectations there.
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import python_plugin

print("one", python_plugin.total(range(101)))
items = [9] * 12 + [5]
print("callback", python_plugin.apply(lambda n: python_plugin.total(range(n)), items))

sums = []


def work(times):
    for _ in range(times):
        sums.append(python_plugin.total(range(29)))


threads = [threading.Thread(target=work, args=(times,)) for times in (11, 13, 17, 19, 47)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("threads", sum(sums), len(sums))

refused = 0
for _ in range(43):
    try:
        python_plugin.refuse()
    except ValueError as error:
        refused += str(error) == "refused"
print("refused", refused, file=sys.stderr)
sys.exit(7)
