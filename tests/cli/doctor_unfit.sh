# SPDX-License-Identifier: BSD-2-Clause
echo "int main(void) { return 0; }" | cc -x c -Wl,--build-id=none -o app - && cprof-analyze doctor app 2>&1
